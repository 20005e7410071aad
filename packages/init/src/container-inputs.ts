import type { Arch } from '@crio-lxc/core/abi/arch'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import type { GateFds } from './steps/gate.ts'
import type { CgroupMounts, DetachedMount } from './steps/mounts.ts'
import type { MovedDevices } from './steps/net-devices.ts'
import type { ProcessInputs } from './steps/process.ts'
import type { StdioDevice } from './steps/stdio.ts'
import type { Console } from './steps/terminal.ts'
import type { TreeSource } from './steps/tree-bind.ts'

/** What create opened on the host for init to inherit under the same numbers. */
export interface ContainerFds {
  /** Detached clone of root.path. */
  readonly rootfs: number
  readonly mounts: ReadonlyMap<number, DetachedMount>
  /** Binds whose sources are in the container's own tree. */
  readonly fromTree: ReadonlyMap<number, TreeSource>
  /** By path: detached binds of the nodes that create has made, where init may make none. */
  readonly devices: ReadonlyMap<string, number>
  /** The same for the masks of files. */
  readonly nullDevice: number | undefined
  /** The directory of the start fifo. */
  readonly fifoDirectory: number
  /** Write end of the pipe that create reads. */
  readonly report: number
  readonly console: Console | undefined
  /** What init replaces of what it has inherited: none in a user namespace, in which nobody can make a node. */
  readonly stdio: readonly StdioDevice[]
  /** A cgroup namespace to join: liblxc makes new ones only. */
  readonly cgroupNamespace: number | undefined
  /** Given when there are linux.netDevices that init is to move; from a user namespace it may not. */
  readonly netDevices: MovedDevices | undefined
  /** Given when create has something to do while init waits. */
  readonly gate: GateFds | undefined
  /** `--preserve-fds`: they stay open in the container. */
  readonly preserved: readonly number[]
}

export interface ContainerInputs {
  readonly arch: Arch
  readonly spec: Spec
  readonly process: ProcessInputs
  /** Namespaces that are not the runtime's, and those of them that are new. */
  readonly namespaces: { readonly all: ReadonlySet<NamespaceType>; readonly created: ReadonlySet<NamespaceType> }
  readonly fds: ContainerFds
  readonly cgroup: CgroupMounts
  /** The process gets a session keyring of its own. */
  readonly newKeyring: boolean
  /** Given when the container is in a user namespace, new or joined. */
  readonly userNamespace: { readonly staged: readonly StagedMount[] } | undefined
  /** The plan notes when it begins what. */
  readonly traced?: boolean
}
