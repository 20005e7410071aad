import { type FdScope, withFds } from '../../sys/fd-scope.ts'
import { writeFile } from '../../sys/files.ts'
import { applyWrites } from './apply-writes.ts'
import type { CgroupManager, ManagedContainer } from './cgroup-manager.ts'
import { cgroupDirectories, makeCgroup, missingDirectories, removeCgroup, removeDirectories } from './cgroupfs.ts'
import { checkUnused } from './check-unused.ts'
import { CgroupTaken, claimCgroup } from './claim-cgroup.ts'
import { limitsForks } from './plan/cgroup-write.ts'

/** The runtime itself is the manager: everything is a directory or a file in it. */
export function cgroupfsManager({
  id,
  layout,
  placement: { path },
  monitorCgroup,
  writes,
}: ManagedContainer): CgroupManager {
  const monitorPath = `/${monitorCgroup}/${id}`
  let withdraw = (): void => undefined
  let taken = false
  let hasMonitorCgroup = false
  /** Claimed first, so that no process comes after the look for them. */
  const makeUnused = (cgroup: string, claims: FdScope): (() => void) =>
    makeCgroup(layout, cgroup, {
      claim: (directory) => claimCgroup(directory, claims),
      check: () => checkUnused(layout, cgroup),
    })
  return {
    path,
    monitorPath,
    units: undefined,
    missingDirectories: () => missingDirectories(layout, path),
    make(claims) {
      try {
        withdraw = makeUnused(path, claims)
      } catch (error) {
        taken = error instanceof CgroupTaken
        throw error
      }
    },
    joined: () => undefined,
    limit: () =>
      applyWrites(
        path,
        writes.filter((write) => !limitsForks(write)),
      ),
    limitForks: () => applyWrites(path, writes.filter(limitsForks)),
    placeMonitor(pid) {
      withFds((claims) => {
        makeUnused(monitorPath, claims)
        hasMonitorCgroup = true
        for (const { mountPoint } of layout.hierarchies)
          writeFile(`${mountPoint}${monitorPath}/cgroup.procs`, String(pid))
      })
    },
    close: () => undefined,
    undo(made) {
      // The cgroup is another's then, and its parents are whoever's was there first.
      const directories = taken
        ? made.filter((directory) => !cgroupDirectories(layout, path).includes(directory))
        : made
      try {
        if (hasMonitorCgroup) removeCgroup(layout, monitorPath)
        removeDirectories(directories)
      } finally {
        withdraw()
      }
    },
  }
}
