/** An image and a config.json that try something against the host, and what came of it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { Bundle } from '../support/bundle.ts'
import type { Containers } from '../support/containers.ts'
import { program } from '../support/programs.ts'
import type { InvokeOptions, Result } from '../support/runtime.ts'
import type { Spec } from '../support/spec.ts'
import { hostState } from './host-state.ts'

/** `refused`: no container. `contained`: it ran, and reached nothing of the host. The others are holes. */
export type Verdict = 'refused' | 'contained' | 'host changed' | 'host read' | 'hangs' | 'fooled'

export interface Scene {
  readonly bundle: Bundle
  /** A directory of the host with the file `canary`; nothing in the container may reach it. */
  readonly outside: string
  /** Puts a link, or anything else, in the place of a path of the image. */
  readonly replace: (path: string, make: (path: string) => void) => void
  /** Undoes something once it is known what came of the attack. */
  readonly defer: (undo: () => void) => void
}

export interface Attack {
  /** What is tried, for the table. */
  readonly name: string
  /** The number of its CVE, or the lesson. */
  readonly lesson: string
  readonly prepare: (scene: Scene) => void
  /** What the container runs in sh; by default it looks and writes around. */
  readonly script?: string
  readonly options?: InvokeOptions
  /** A sign on the container's output that it was deceived. */
  readonly fooledBy?: RegExp
}

const SECRET = 'the content of the canary'

/** Options that every attack starts from: a writable root and no other mounts than /proc. */
export function bare(spec: Spec): void {
  spec.root.readonly = false
  spec.mounts = spec.mounts.filter(({ destination }) => destination === '/proc')
  spec.linux.maskedPaths = []
  spec.linux.readonlyPaths = []
}

/** Runs the attack, and looks at what came of it. */
export async function verdictOf(t: Containers, attack: Attack): Promise<{ verdict: Verdict; detail: string }> {
  const outside = t.hostDirectory('outside-')
  writeFileSync(join(outside, 'canary'), SECRET)
  const script = attack.script ?? 'cat /target/canary /target; echo x > /target/made; echo x > /target; true'
  const undone: (() => void)[] = []
  const bundle = await t.bundle({ args: ['sh', '-c', `{ ${script}; } 2>/dev/null`] })
  attack.prepare({
    bundle,
    outside,
    replace: (path, make) => {
      const full = join(bundle.rootfs, path)
      rmSync(full, { recursive: true, force: true })
      mkdirSync(dirname(full), { recursive: true })
      make(full)
    },
    defer: (undo) => void undone.push(undo),
  })
  bundle.writeConfig(bundle.spec)
  const before = hostState([outside])
  let result: Result
  let after: string[]
  try {
    result = await t.run(bundle, {
      timeoutMs: 20_000,
      through: [program('launch'), '--fds', '--'],
      ...attack.options,
    })
    after = hostState([outside])
  } finally {
    for (const undo of undone) undo()
  }
  const changes = after.filter((line) => !before.includes(line)).concat(before.filter((line) => !after.includes(line)))
  return { verdict: judge(attack, result, changes), detail: [...changes, result.stderr].join('\n') }
}

function judge({ fooledBy }: Attack, result: Result, changes: readonly string[]): Verdict {
  if (changes.length > 0) return 'host changed'
  if (result.stdout.includes(SECRET)) return 'host read'
  if (result.timedOut) return 'hangs'
  if (fooledBy?.test(result.stdout)) return 'fooled'
  if (result.exitCode === 0) return 'contained'
  expect(result.stdout + result.stderr).not.toBe('')
  return 'refused'
}
