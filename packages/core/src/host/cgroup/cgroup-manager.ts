import type { Arch } from '../../abi/arch.ts'
import type { FdScope } from '../../sys/fd-scope.ts'
import type { Placement } from './cgroups-path.ts'
import type { CgroupLayout } from './plan/cgroup-layout.ts'
import type { CgroupWrite } from './plan/cgroup-write.ts'
import type { DevicePlan } from './plan/device-plan.ts'

/** Units of systemd that a container has, by what lives in them. */
export interface SystemdUnits {
  readonly container: string
  /** In resident mode only. */
  readonly monitor?: string
}

/** Who makes a container's cgroup while it is created: the runtime alone (cgroupfs), or systemd on its behalf. */
export interface CgroupManager {
  /** Below every hierarchy's mount point. */
  readonly path: string
  readonly monitorPath: string
  /** For container.json, so that every later verb knows; undefined: there are none. */
  readonly units: SystemdUnits | undefined
  /** Directories that `make` will make and nobody but the runtime removes, parents first. */
  missingDirectories(): string[]
  /**
   * Afterwards the cgroup exists in every hierarchy, can be joined, and is nobody else's for as long as `claims` last. Throws
   * RuntimeError `cgroup`, as when others live in it or make a container in it: no process of theirs is touched.
   */
  make(claims: FdScope): void
  /** The container's first process has joined. */
  joined(): void
  /** Puts the limits into effect, once `make` has, but for those that limit forks. Throws RuntimeError `cgroup`. */
  limit(): void
  /** Puts those into effect as well: create forks nothing more into the cgroup. Throws RuntimeError `cgroup`. */
  limitForks(): void
  /** Moves a resident monitor out of the container's cgroup: its memory and its process are not the container's. */
  placeMonitor(pid: number): void
  /** What `make` holds besides the cgroup. */
  close(): void
  /** Takes back what `make` did, for a create that fails; `made` are those of the `missingDirectories`. */
  undo(made: readonly string[]): void
}

/** What a manager is made for. */
export interface ManagedContainer {
  readonly id: string
  readonly layout: CgroupLayout
  readonly placement: Placement
  /** `--monitor-cgroup` */
  readonly monitorCgroup: string
  /** The monitor stays, in monitorCgroup. */
  readonly resident: boolean
  readonly annotations: Readonly<Record<string, string>> | undefined
  readonly writes: readonly CgroupWrite[]
  readonly devices: DevicePlan | undefined
  /** Path of crio-lxc-init. */
  readonly executor: string
  readonly arch: Arch
  /** Bounds each wait for systemd. */
  readonly timeoutMs: number
}
