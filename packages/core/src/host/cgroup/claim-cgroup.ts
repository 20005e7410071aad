/**
 * Two creates with one path, as of one id under two roots, both find the cgroup unused until the first process of one has
 * joined it. So that only one goes on, a create locks a file of the cgroup for as long as it works. Whoever ends what is in a
 * cgroup shares the lock: a create that found it unused meanwhile would be ended, too.
 */
import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { close, type Fd, tryLock, tryShare } from '../../sys/fd.ts'
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
  const { path, fd } = openLock(directory, claims) ?? {}
  if (path === undefined || fd === undefined) return false
  if (tryLock(fd) && isCurrent(path, fd)) return true
  throw new CgroupTaken(
    'cgroup',
    `use cgroup ${directory}: another create, kill or delete is at work in it: choose another linux.cgroupsPath`,
  )
}

/** False while a create has claimed the cgroup; otherwise none does as long as `claims`, where the kernel has a file for it. */
export function shareCgroup(directories: readonly string[], claims: FdScope): boolean {
  for (const directory of directories) {
    const { fd } = openLock(directory, claims) ?? {}
    if (fd === undefined) continue
    if (tryShare(fd)) return true
    close(claims.release(fd))
    return false
  }
  return true
}

function openLock(directory: string, claims: FdScope): { path: string; fd: Fd } | undefined {
  for (const name of rootsAlone) {
    const path = `${directory}/${name}`
    const fd = unlessMissing(() => open(path))
    if (fd !== undefined) return { path, fd: claims.keep(fd) }
  }
  return undefined
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
function isCurrent(path: string, fd: Fd): boolean {
  return unlessMissing(() => lstat(path))?.identity === fstat(fd).identity
}
