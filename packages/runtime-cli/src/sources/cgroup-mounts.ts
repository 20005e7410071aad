import { AT_FDCWD, MS_PRIVATE } from '@crio-lxc/core/abi/constants'
import type { CgroupLayout, Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { cloneTree, mountSetattr } from '@crio-lxc/core/sys/mount'
import { components } from '@crio-lxc/init/inside-root'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import type { OpenCgroupMounts } from './plan/open-sources.ts'

export interface CgroupMountContext {
  readonly layout: CgroupLayout
  /** Of the cgroup that is shown, below a hierarchy's mount point. */
  readonly pathOf: (hierarchy: Hierarchy) => string
  readonly created: ReadonlySet<NamespaceType>
  /** By index in `mounts`: what create has opened on the host. */
  readonly detached: ReadonlyMap<number, unknown>
}

/**
 * What the container's cgroup mounts show. Without a cgroup namespace it is a bind of the container's own directory:
 * a new cgroup2 mount would clear `nsdelegate` for the whole host, and show all of its cgroups. So it is with a namespace
 * where a mount of the host's lies below: a cgroup2 on a cgroup2, as a recursive bind of /sys brings it, is EBUSY.
 */
export function cgroupMounts(spec: Spec, context: CgroupMountContext, fds: FdScope): OpenCgroupMounts {
  const { layout, pathOf, created, detached } = context
  const version = layout.mode === 'v2' ? 2 : 1
  const index = spec.mounts?.findIndex(({ type }) => type === 'cgroup' || type === 'cgroup2') ?? -1
  const shown = index < 0 ? [] : layout.hierarchies.filter((hierarchy) => hierarchy.version === version)
  const onHostMount = version === 2 && liesOnAny(spec.mounts ?? [], index, detached)
  const binds: number[] = []
  const hierarchies = shown.map((hierarchy) => {
    const entry = { name: hierarchy.name, data: mountData(hierarchy) }
    if (created.has('cgroup') && !onHostMount) return entry
    const bind = fds.keep(cloneTree(AT_FDCWD, hierarchy.mountPoint + pathOf(hierarchy), { recursive: false }))
    binds.push(bind)
    const { ofBind } = parseMountOptions(spec.mounts?.[index]?.options ?? [])
    mountSetattr(bind, { propagation: MS_PRIVATE })
    if (ofBind) mountSetattr(bind, ofBind)
    return { ...entry, bind }
  })
  const links = shown.flatMap(({ name, controllers }) =>
    controllers.length > 1 ? controllers.map((controller) => [controller, name] as const) : [],
  )
  const staged = binds.map((fd) => ({ fd, directory: true, propagation: [MS_PRIVATE] }))
  return { mounts: { version, hierarchies, links }, staged }
}

/** Whether the mount at `index` lies on, or below, an earlier one that shows something of the host. */
function liesOnAny(mounts: readonly Mount[], index: number, detached: ReadonlyMap<number, unknown>): boolean {
  const point = components(mounts[index]?.destination ?? '')
  return mounts.slice(0, Math.max(0, index)).some(({ destination }, earlier) => {
    const above = components(destination)
    return detached.has(earlier) && above.every((name, level) => name === point[level])
  })
}

/** cgroups(7): a named hierarchy without controllers is asked for by its name. */
function mountData({ controllers }: Hierarchy): string {
  return controllers.map((name) => (name.startsWith('name=') ? `none,${name}` : name)).join(',')
}
