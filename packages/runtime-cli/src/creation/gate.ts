import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { hasCreateHooks } from '@crio-lxc/core/oci/hook-points'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { type Fd, pipe, write } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { O_RDONLY, openFile, realPath } from '@crio-lxc/core/sys/files'
import type { GateFds } from '@crio-lxc/init/steps/gate'

export interface GateOptions {
  readonly libexec: string
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** The container's mount namespace is new. */
  readonly ownMounts: boolean
  /** create moves linux.netDevices, not init. */
  readonly movesDevices: boolean
}

/** Where init waits for what create does in the middle: moving network devices, and hooks. It ends when its fds are closed instead. */
export class Gate {
  /** For the container plan. */
  readonly fds: GateFds
  /** fds that init inherits. */
  readonly inherited: readonly number[]
  readonly #write: number

  private constructor(fds: FdScope, hostTree: (GateFds['hostTree'] & { readonly fd: Fd }) | undefined) {
    const [go, goWrite] = pipe()
    fds.keep(go)
    this.#write = fds.keep(goWrite)
    this.fds = { go, hostTree }
    this.inherited = hostTree ? [go, hostTree.fd] : [go]
  }

  /** Undefined when create has nothing to do while init waits. What it opens is for `fds`. Throws SpecError for a root.path that hooks could not find. */
  static of(
    { hooks }: Spec,
    { libexec, rootfs, ownMounts, movesDevices }: GateOptions,
    fds: FdScope,
  ): Gate | undefined {
    if (!hooks || !hasCreateHooks(hooks)) return movesDevices ? new Gate(fds, undefined) : undefined
    const stage = realPath(`${libexec}/lxc`)
    const path = realRootfs(rootfs)
    if (!ownMounts) return new Gate(fds, undefined)
    // The launch plan puts the clone in its place: only the number is needed here.
    return new Gate(fds, { fd: fds.keep(openFile('/', O_RDONLY)), stage, rootfs: path })
  }

  /** Lets init go on. */
  open(): void {
    write(this.#write, 'g')
  }
}

function realRootfs(path: string): string {
  try {
    return realPath(path)
  } catch (cause) {
    throw new SpecError('root.path', `resolve ${path} for the hooks: ${reasonOf(cause)}`)
  }
}
