import { RuntimeError } from '../errors/runtime-error.ts'
import { cgroupDirectories, readProcs } from './cgroupfs.ts'
import { isFrozen } from './freezer.ts'
import type { CgroupLayout } from './plan/cgroup-layout.ts'

/**
 * Throws RuntimeError `cgroup` when the cgroup has processes, which belong to somebody else, or is frozen: nothing would
 * ever run in it. One that exists and is neither is taken over, as by runc.
 */
export function checkUnused(layout: CgroupLayout, path: string): void {
  for (const directory of cgroupDirectories(layout, path))
    if (readProcs(directory).length > 0)
      throw new RuntimeError('cgroup', `use cgroup ${directory}: it has processes: choose another linux.cgroupsPath`)
  if (isFrozen(path))
    throw new RuntimeError('cgroup', `use cgroup ${path}: it is frozen: thaw it or choose another linux.cgroupsPath`)
}
