import { closeSync, openSync, realpathSync, writeSync } from 'node:fs'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { createPoints } from '@crio-lxc/core/hook/hook-points'
import type { Hooks } from '@crio-lxc/core/oci/spec'
import { pipe } from '@crio-lxc/core/sys/libc'
import type { HookGate as PlanHookGate } from '@crio-lxc/init/steps/host-tree'

export interface HookGateOptions {
  readonly libexec: string
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** The container's mount namespace is new. */
  readonly ownMounts: boolean
}

/** Refuses hooks that could not run as they should, while nothing exists yet. */
export function checkHooks(hooks: Hooks = {}, { ownMounts }: { ownMounts: boolean }): void {
  if (!ownMounts && hooks.createContainer?.length)
    throw new SpecError(
      'hooks.createContainer',
      'cannot run in a mount namespace given by path: its other processes would see the host: use createRuntime',
    )
}

/** Refuses hooks that a seccomp filter with an agent would hold up. */
export function checkHooksWithAgent(hooks: Hooks = {}): void {
  if (hooks.startContainer?.length)
    throw new SpecError(
      'hooks.startContainer',
      'not supported with SCMP_ACT_NOTIFY in linux.seccomp: the filter would wait for the agent in every hook: remove one of them',
    )
}

/** Where init waits while the hooks of create run. */
export class HookGate {
  /** For the container plan. */
  readonly plan: PlanHookGate
  /** fds that init inherits. */
  readonly inherited: readonly number[]
  readonly #write: number

  private constructor({ libexec, rootfs, ownMounts }: HookGateOptions) {
    const stage = realpathSync(`${libexec}/lxc`)
    const path = realRootfs(rootfs)
    const [go, write] = pipe()
    this.#write = write
    // The launch plan puts the clone in its place: only the number is needed here.
    const hostTree = ownMounts ? { fd: openSync('/', 'r'), stage, rootfs: path } : undefined
    this.plan = { go, hostTree }
    this.inherited = hostTree ? [go, hostTree.fd] : [go]
  }

  /** Undefined when create has no hooks to run. */
  static of(hooks: Hooks = {}, options: HookGateOptions): HookGate | undefined {
    return createPoints.some((point) => hooks[point]?.length) ? new HookGate(options) : undefined
  }

  /** Lets init go on. */
  open(): void {
    writeSync(this.#write, 'g')
  }

  /** Closes what create holds; a waiting init ends. */
  close(): void {
    for (const fd of [...this.inherited, this.#write]) closeSync(fd)
  }
}

function realRootfs(path: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    throw new SpecError(
      'root.path',
      `resolve ${path} for the hooks: ${messageOf(cause).replace(/^[A-Z]+: |, \w+ '.*'$/g, '')}`,
    )
  }
}
