/** The cgroup hierarchies of a host as data; cgroups(7). PURE. */

/** A mounted hierarchy. */
export interface Hierarchy {
  /** Directory below /sys/fs/cgroup; empty on a pure v2 host. */
  readonly name: string
  readonly mountPoint: string
  readonly version: 1 | 2
  /** Its controllers, as cgroup.controllers of the root says for v2; `name=systemd` for a named hierarchy of v1. */
  readonly controllers: readonly string[]
}

/** v2: one hierarchy. v1: one for each controller. Hybrid: v1 and, beside it, a v2 hierarchy without them. */
export interface CgroupLayout {
  readonly mode: 'v1' | 'hybrid' | 'v2'
  readonly hierarchies: readonly Hierarchy[]
}

export const MOUNT_POINT = '/sys/fs/cgroup'

/** What the planner asks of the host's files: which mount points are there, and what cgroup.controllers says. */
export interface HierarchyFiles {
  readonly exists: (path: string) => boolean
  readonly controllers: (mountPoint: string) => readonly string[]
}

/** The layout that the lines of /proc/PID/cgroup tell. */
export function parseHierarchies(text: string, { exists, controllers: unified }: HierarchyFiles): CgroupLayout {
  const hierarchies: Hierarchy[] = []
  for (const line of text.split('\n')) {
    const [id, list] = line.split(':', 2)
    if (id === undefined || list === undefined) continue
    const version = id === '0' ? 2 : 1
    const name = version === 2 ? 'unified' : list.replace(/^name=/, '')
    const mountPoint = `${MOUNT_POINT}/${name}`
    // A hierarchy that is mounted nowhere has no files to write: the kernel lists it all the same.
    if (!exists(`${mountPoint}/cgroup.procs`)) continue
    const controllers = version === 2 ? unified(mountPoint) : list.split(',')
    hierarchies.push({ name, mountPoint, version, controllers })
  }
  const hybrid = hierarchies.some(({ version }) => version === 2)
  return { mode: hybrid ? 'hybrid' : 'v1', hierarchies }
}

/** The hierarchy whose membership says which processes a container has: v2 where there is one. */
export function membershipHierarchy({ hierarchies }: CgroupLayout): Hierarchy | undefined {
  return hierarchies.find(({ version }) => version === 2) ?? hierarchies[0]
}

/** Controllers of v1 that have a file which only root may open, and so lock; v2 has one as well. */
const lockable = new Set(['devices', 'memory', 'blkio'])

/**
 * The hierarchies in the order in which a cgroup is made, and in the opposite one removed: first that in which it is claimed
 * (claim-cgroup.ts), so that whoever is refused has made nothing in the others, and nobody gets it before all is removed.
 */
export function claimOrder({ hierarchies }: CgroupLayout): readonly Hierarchy[] {
  const first = hierarchies.find(
    ({ version, controllers }) => version === 2 || controllers.some((controller) => lockable.has(controller)),
  )
  return first === undefined ? hierarchies : [first, ...hierarchies.filter((each) => each !== first)]
}

/** The directories above the cgroup `path`, the root first. */
export function ancestors(mountPoint: string, path: string): string[] {
  const parts = path.slice(1).split('/')
  return parts.map((_, depth) => [mountPoint, ...parts.slice(0, depth)].join('/'))
}

/** Controllers of v1 that systemd has properties for, and so writes (systemd.resource-control(5)). */
const managedControllers = new Set(['name=systemd', 'cpu', 'cpuacct', 'blkio', 'memory', 'devices', 'pids'])

/** systemd makes and removes the cgroups of its units in this hierarchy. */
export function isManagedBySystemd({ version, controllers }: Hierarchy): boolean {
  return version === 2 || controllers.some((controller) => managedControllers.has(controller))
}
