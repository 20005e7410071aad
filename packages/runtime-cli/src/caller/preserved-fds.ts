/**
 * The caller's descriptors that a process keeps, from 3 on: the sockets of sd_listen_fds(3), then those of
 * `--preserve-fds`. They are looked at before anything else is opened: a number that the caller has not used would
 * soon be a descriptor of the runtime's, and in the hands of the container (CVE-2024-21626).
 */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { isLogFile } from '@crio-lxc/core/host/log/log-file'
import { fstat, readDirectory, readLink, readText } from '@crio-lxc/core/sys/files'
import { ownPid } from '@crio-lxc/core/sys/program'
import { isSignalFd } from '@crio-lxc/core/sys/signals'

/** How many sockets the service manager has passed to this very process; 0 when it has passed none. */
export function listenFds({ LISTEN_FDS: count, LISTEN_PID: pid }: Readonly<Record<string, string>>): number {
  return pid === String(ownPid()) && /^\d{1,9}$/.test(count ?? '') ? Number(count) : 0
}

/** What tells the process of its sockets: as init of its pid namespace it has pid 1, and so runc says. */
export function listenEnvironment(count: number): string[] {
  return count > 0 ? [`LISTEN_FDS=${count}`, 'LISTEN_PID=1'] : []
}

/** The numbers of the first `count` descriptors. Throws RuntimeError `usage` for one that is not the caller's. */
export function preservedFds(count: number): number[] {
  if (count === 0) return []
  const own = ownFds()
  return Array.from({ length: count }, (_, index) => {
    const fd = 3 + index
    if (own.has(fd) || !isOpen(fd))
      throw new RuntimeError('usage', `preserve ${count} file descriptors: ${fd} is not open: open all from 3 on`)
    return fd
  })
}

function isOpen(fd: number): boolean {
  try {
    fstat(fd)
    return true
  } catch {
    return false
  }
}

/**
 * The log files, those that signals count on, and those of the engine: what it polls with, and what it polls
 * (proc_pid_fdinfo(5), "tfd").
 */
function ownFds(): ReadonlySet<number> {
  const own = new Set<number>()
  for (const name of readDirectory('/proc/self/fd')) {
    const fd = Number(name)
    if (isLogFile(fd) || isSignalFd(fd)) own.add(fd)
    if (targetOf(fd) !== 'anon_inode:[eventpoll]') continue
    own.add(fd)
    for (const [, polled] of readText(`/proc/self/fdinfo/${fd}`).matchAll(/^tfd:\s+(\d+)/gm)) own.add(Number(polled))
  }
  return own
}

function targetOf(fd: number): string | undefined {
  try {
    return readLink(`/proc/self/fd/${fd}`)
  } catch {
    // It was the one that listed the directory.
    return undefined
  }
}
