/**
 * Two creates with one path, as of one id under two roots, both find the cgroup unused until the first process of one has
 * joined it. So that only one goes on, a create locks a file of the cgroup for as long as it works.
 */
import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { type Fd, tryLock } from '../../sys/fd.ts'
import type { FdScope } from '../../sys/fd-scope.ts'
import { fstat, lstat, O_WRONLY, openFile, unlessMissing } from '../../sys/files.ts'

/**
 * Modes 0200, so that nobody but root can have them locked, which would keep every container from being made: whoever may read
 * a file or directory may lock it (flock(2)). v2 has its own since Linux 5.14, and v1 others, controller by controller.
 */
const rootsAlone = ['cgroup.kill', 'devices.deny', 'memory.force_empty', 'blkio.reset_stats']

/** The cgroup is another create's: nothing of it is to be removed. */
export class CgroupTaken extends RuntimeError {}

/**
 * The lock lasts as long as `claims`. False when the cgroup has no file for it in the hierarchy of this directory. Throws
 * CgroupTaken while another create has it.
 */
export function claimCgroup(directory: string, claims: FdScope): boolean {
  for (const name of rootsAlone) {
    const path = `${directory}/${name}`
    const fd = unlessMissing(() => open(path))
    if (fd === undefined) continue
    claims.keep(fd)
    if (isClaimed(path, fd)) return true
    throw new CgroupTaken(
      'cgroup',
      `use cgroup ${directory}: another create is at work in it: choose another linux.cgroupsPath`,
    )
  }
  return false
}

function open(path: string): Fd {
  try {
    return openFile(path, O_WRONLY)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw cause
    throw new RuntimeError('cgroup', `open ${path}: ${reasonOf(cause)}`, { cause })
  }
}

/** The cgroup may have been removed by a create that failed, and made again by a third. */
function isClaimed(path: string, fd: Fd): boolean {
  return tryLock(fd) && unlessMissing(() => lstat(path))?.identity === fstat(fd).identity
}
