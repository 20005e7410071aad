/**
 * A container with CAP_SYS_PTRACE, and no user namespace around it, takes over what comes into its pid namespace, not dumpable
 * or not, and reports in its name what it likes: the pid of a process of the host above all. ROUNDS says how often.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../support/containers.ts'
import { processStat } from '../support/proc.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import type { InvokeOptions, Result } from '../support/runtime.ts'
import { setNamespace } from '../support/spec.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

const ROUNDS = Number(process.env.ROUNDS ?? 40)
const modes = ['pid', 'many', 'short', 'fail', 'fds', 'hold', 'kill'] as const
const flags = ['--start-timeout', '2s', '--create-timeout', '5s']

/** A process of the host that nothing here has to do with. */
let bystander: ChildProcess
beforeEach(() => {
  bystander = spawn('sleep', ['1000'], { stdio: 'ignore' })
  t.defer(() => void bystander.kill('SIGKILL'))
})

async function forger(mode: (typeof modes)[number]): Promise<Created> {
  const bundle = await t.bundle({ args: ['/tracer', 'forge', mode, String(bystander.pid)] })
  copyFileSync(program('tracer'), join(bundle.rootfs, 'tracer'))
  for (const set of Object.values(bundle.spec.process.capabilities ?? {})) set.push('CAP_SYS_PTRACE')
  bundle.writeConfig(bundle.spec)
  const created = await t.running(bundle)
  await waitFor(() => created.result.output().includes('ready'), { what: 'the tracer' })
  return created
}

/** How many reports it has written to. */
const forged = ({ result }: Created): number =>
  result
    .output()
    .split('\n')
    .filter((line) => /^forged \d+ [1-9]/.test(line)).length

/** Either it did what it was to do, or it said that it could not. */
function expectHonest(result: Result): void {
  expect(result.timedOut).toBe(false)
  if (result.exitCode !== 0) expect(result.stderr).toMatch(/\S/)
  expect(result.stderr).not.toMatch(/internal error/)
  expect(bystander.exitCode ?? bystander.signalCode).toBe(null)
  expect(processStat(bystander.pid ?? 0)?.state).toBe('S')
}

describe.each(modes)('records of the kind "%s"', (mode) => {
  const rounds = mode === 'hold' || mode === 'kill' ? Math.ceil(ROUNDS / 20) : Math.ceil(ROUNDS / 4)
  const invoke = (args: readonly string[], options: InvokeOptions = {}): Promise<Result> =>
    t.runtime([...flags, ...args], options)

  it(`of exec, ${rounds} times: nothing of the host is killed, and nothing stays`, {
    timeout: 60_000 + rounds * 5000,
  }, async () => {
    const container = await forger(mode)
    for (let n = 0; n < rounds || (forged(container) === 0 && n < 200); n++) {
      expectHonest(await invoke(['exec', container.id, 'true']))
      expect(JSON.parse((await t.ok(['ps', '--format', 'json', container.id])).stdout)).toEqual([container.pid])
    }
    expect(forged(container)).toBeGreaterThan(0)
  })

  it(`of create and start in its pid namespace, ${rounds} times`, { timeout: 60_000 + rounds * 20_000 }, async () => {
    const container = await forger(mode)
    const hook = { path: '/bin/busybox', args: ['busybox', 'true'] }
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: (spec) => {
        setNamespace(spec, 'pid', `/proc/${container.pid}/ns/pid`)
        Object.assign(spec, { hooks: { startContainer: [hook] } })
      },
    })
    const id = t.id()
    for (let n = 0; n < rounds || (forged(container) === 0 && n < 200); n++) {
      const created = await invoke(['create', '--bundle', bundle.path, id])
      expectHonest(created)
      if (created.exitCode === 0) expectHonest(await invoke(['start', id]))
      await t.ok(['delete', '--force', id])
    }
    expect(forged(container)).toBeGreaterThan(0)
  })
})
