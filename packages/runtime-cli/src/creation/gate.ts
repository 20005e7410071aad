import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { hasCreateHooks } from '@crio-lxc/core/hook/hook-points'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { close, pipe, write } from '@crio-lxc/core/sys/fd'
import { O_RDONLY, openFile, realPath } from '@crio-lxc/core/sys/files'
import type { Gate as PlanGate } from '@crio-lxc/init/steps/gate'

export interface GateOptions {
  readonly libexec: string
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** The container's mount namespace is new. */
  readonly ownMounts: boolean
  /** create moves linux.netDevices, not init. */
  readonly movesDevices: boolean
}

/** Where init waits for what create does in the middle: moving network devices, and hooks. */
export class Gate {
  /** For the container plan. */
  readonly plan: PlanGate
  /** fds that init inherits. */
  readonly inherited: readonly number[]
  readonly #write: number

  private constructor([go, goWrite]: readonly [number, number], hostTree: PlanGate['hostTree']) {
    this.#write = goWrite
    this.plan = { go, hostTree }
    this.inherited = hostTree ? [go, hostTree.fd] : [go]
  }

  /** Undefined when create has nothing to do while init waits. Throws SpecError for a root.path that hooks could not find. */
  static of({ hooks }: Spec, { libexec, rootfs, ownMounts, movesDevices }: GateOptions): Gate | undefined {
    if (!hooks || !hasCreateHooks(hooks)) return movesDevices ? new Gate(pipe(), undefined) : undefined
    const stage = realPath(`${libexec}/lxc`)
    const path = realRootfs(rootfs)
    const ends = pipe()
    try {
      // The launch plan puts the clone in its place: only the number is needed here.
      return new Gate(ends, ownMounts ? { fd: openFile('/', O_RDONLY), stage, rootfs: path } : undefined)
    } catch (error) {
      for (const fd of ends) close(fd)
      throw error
    }
  }

  /** Lets init go on. */
  open(): void {
    write(this.#write, 'g')
  }

  /** Closes what create holds; a waiting init ends. */
  close(): void {
    for (const fd of [...this.inherited, this.#write]) close(fd)
  }
}

function realRootfs(path: string): string {
  try {
    return realPath(path)
  } catch (cause) {
    throw new SpecError('root.path', `resolve ${path} for the hooks: ${reasonOf(cause)}`)
  }
}
