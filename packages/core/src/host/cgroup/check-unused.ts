import { RuntimeError } from '../../errors/runtime-error.ts'
import { hasProcesses } from './cgroup-processes.ts'
import { cgroupDirectories } from './cgroupfs.ts'
import { frozenAbove, isFrozen } from './frozen.ts'
import type { CgroupLayout } from './plan/cgroup-layout.ts'

/**
 * Throws RuntimeError `cgroup` when the cgroup has processes, or one below it, which belong to somebody else, or is frozen, by
 * itself or with one above it: nothing would ever run in it. One that exists and is neither is taken over, as by runc.
 */
export function checkUnused(layout: CgroupLayout, path: string): void {
  for (const directory of cgroupDirectories(layout, path))
    if (hasProcesses(directory))
      throw new RuntimeError('cgroup', `use cgroup ${directory}: it has processes: choose another linux.cgroupsPath`)
  const frozen = isFrozen(path) ? 'it' : frozenAbove(layout, path)
  if (frozen !== undefined)
    throw new RuntimeError(
      'cgroup',
      `use cgroup ${path}: ${frozen} is frozen: thaw it or choose another linux.cgroupsPath`,
    )
}
