/**
 * Two creates with one path, as of one id under two roots, both find the cgroup unused until the first process of one has
 * joined it. So that only one goes on, a create locks the cgroup's directory for as long as it works.
 */
import { RuntimeError } from '../../errors/runtime-error.ts'
import { reasonOf } from '../../errors/system-error.ts'
import { tryLock } from '../../sys/fd.ts'
import type { FdScope } from '../../sys/fd-scope.ts'
import { fstat, lstat, O_DIRECTORY, O_RDONLY, openFile, unlessMissing } from '../../sys/files.ts'

/** The cgroup is another create's: nothing of it is to be removed. */
export class CgroupTaken extends RuntimeError {}

/** The lock lasts as long as `claims`. Throws CgroupTaken while another create has it. */
export function claimCgroup(directory: string, claims: FdScope): void {
  try {
    const fd = claims.keep(openFile(directory, O_RDONLY | O_DIRECTORY))
    // It may have been removed by a create that failed, and made again by a third.
    if (tryLock(fd) && unlessMissing(() => lstat(directory))?.identity === fstat(fd).identity) return
  } catch (cause) {
    throw new RuntimeError('cgroup', `lock cgroup ${directory}: ${reasonOf(cause)}`, { cause })
  }
  throw new CgroupTaken(
    'cgroup',
    `use cgroup ${directory}: another container is being created in it: choose another linux.cgroupsPath`,
  )
}
