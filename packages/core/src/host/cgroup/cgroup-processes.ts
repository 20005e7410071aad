/** Which processes a cgroup has. */

import { RuntimeError } from '../../errors/runtime-error.ts'
import { SyscallError } from '../../errors/syscall-error.ts'
import { codeOf } from '../../errors/system-error.ts'
import { readTextIfThere } from '../../sys/if-there.ts'
import { threadGroup } from '../process/proc.ts'
import { hasChildren, readBelow, walkCgroups } from './cgroup-tree.ts'
import { type CgroupLayout, membershipHierarchy } from './plan/cgroup-layout.ts'

/** Pids of the processes in the cgroup and below it, as the host knows them. Throws RuntimeError `cgroup`. */
export function listProcesses(layout: CgroupLayout, path: string): number[] {
  const { pids, complete } = findProcesses(layout, path)
  if (complete) return pids
  throw new RuntimeError('cgroup', `list the processes of ${path}: it has too many cgroups: end them with kill --all`)
}

/** The same; not `complete` when there are more cgroups than are looked at. */
export function findProcesses(layout: CgroupLayout, path: string): { pids: number[]; complete: boolean } {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return { pids: [], complete: true }
  return processesIn(hierarchy.mountPoint + path)
}

/** Whether there is one in the cgroup with this directory, or below; so it is taken when there are too many cgroups to look at. */
export function hasProcesses(directory: string): boolean {
  const { pids, complete } = processesIn(directory)
  return pids.length > 0 || !complete
}

function processesIn(directory: string): { pids: number[]; complete: boolean } {
  if (!hasChildren(directory)) return { pids: readProcs(directory), complete: true }
  const pids = new Set<number>()
  const complete = walkCgroups(directory, {
    enter(fd) {
      for (const pid of pidsOf((file) => readBelow(fd, file))) pids.add(pid)
    },
  })
  return { pids: [...pids], complete }
}

/** Pids in the cgroup itself; none when it does not exist. */
export function readProcs(directory: string): number[] {
  return pidsOf((file) => readTextIfThere(`${directory}/${file}`))
}

/**
 * A cgroup whose processes are not listed may have threads all the same: when it is a threaded one, which has no processes
 * of its own, and when threads came after the first one of their process had exited.
 */
function pidsOf(read: (file: string) => string | undefined): number[] {
  const pids = numbersOf(read, 'cgroup.procs')
  if (pids === undefined || pids.length > 0) return pids ?? []
  const groups = numbersOf(read, 'cgroup.threads')?.map(threadGroup)
  return [...new Set(groups)].filter((pid) => pid !== undefined)
}

/** undefined when `read` says that there is no such file. */
function numbersOf(read: (file: string) => string | undefined, file: string): number[] | undefined {
  try {
    return read(file)?.split('\n').filter(Boolean).map(Number)
  } catch (error) {
    const name = error instanceof SyscallError ? error.errnoName : codeOf(error)
    // ENOENT: v1 has no cgroup.threads, or the cgroup does not exist. ENODEV: it was removed between open and read.
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'].includes(name ?? '')) return []
    throw error
  }
}
