import { writeFile } from '../../sys/files.ts'
import { applyWrites } from './apply-writes.ts'
import type { CgroupManager, ManagedContainer } from './cgroup-manager.ts'
import { makeCgroup, missingDirectories } from './cgroupfs.ts'
import { checkUnused } from './check-unused.ts'
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
  return {
    path,
    monitorPath,
    units: undefined,
    missingDirectories: () => missingDirectories(layout, path),
    checkUnused: () => checkUnused(layout, path),
    make() {
      withdraw = makeCgroup(layout, path)
    },
    joined: () => undefined,
    limit: () =>
      applyWrites(
        path,
        writes.filter((write) => !limitsForks(write)),
      ),
    limitForks: () => applyWrites(path, writes.filter(limitsForks)),
    placeMonitor(pid) {
      checkUnused(layout, monitorPath)
      makeCgroup(layout, monitorPath)
      for (const { mountPoint } of layout.hierarchies)
        writeFile(`${mountPoint}${monitorPath}/cgroup.procs`, String(pid))
    },
    close: () => undefined,
    undo: () => withdraw(),
  }
}
