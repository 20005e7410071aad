import { SpecError } from '../../errors/runtime-error.ts'
import type { CgroupManager, ManagedContainer } from './cgroup-manager.ts'
import { checkUnused } from './check-unused.ts'

/** Nobody manages: the container stays in the caller's cgroup. Throws SpecError for limits, which it cannot have there. */
export function noManager({ layout, placement: { path }, writes }: ManagedContainer): CgroupManager {
  const [limit] = writes
  if (limit)
    throw new SpecError(limit.field, 'needs a cgroup, which --cgroup-manager disabled does not make: remove it')
  const nothing = (): void => undefined
  return {
    path,
    monitorPath: path,
    units: undefined,
    missingDirectories: () => [],
    make: () => checkUnused(layout, path),
    joined: nothing,
    limit: nothing,
    limitForks: nothing,
    placeMonitor: nothing,
    close: nothing,
    undo: nothing,
  }
}
