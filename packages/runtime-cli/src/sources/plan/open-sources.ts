import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import type { CgroupMounts, DetachedMount } from '@crio-lxc/init/steps/mounts'
import type { TreeSource } from '@crio-lxc/init/steps/tree-bind'

/** What goes from the host into a container, as descriptors that init inherits. */
export interface Sources {
  readonly rootfs: number
  readonly mounts: ReadonlyMap<number, DetachedMount>
  /** By index in `mounts` of the spec: binds of what earlier mounts provide, which init opens. */
  readonly fromTree: ReadonlyMap<number, TreeSource>
  readonly devices: ReadonlyMap<string, number>
  readonly nullDevice: number | undefined
  /** The mounts among them, and the nodes, as a user namespace gets them; empty without one. */
  readonly staged: readonly StagedMount[]
}

/** Every descriptor of them. */
export function fdsOfSources({ rootfs, mounts, fromTree, staged }: Sources): number[] {
  const mapped = [...fromTree.values()].flatMap(({ idmap }) => (idmap ? [idmap.userNamespace] : []))
  if (staged.length > 0) return [...staged.map(({ fd }) => fd), ...mapped]
  return [rootfs, ...Array.from(mounts.values(), ({ fd }) => fd), ...mapped]
}

/** What the container's cgroup mounts show. */
export interface OpenCgroupMounts {
  readonly mounts: CgroupMounts
  /** The binds, as a user namespace gets them. */
  readonly staged: readonly StagedMount[]
}
