/**
 * The caller's descriptors that a process keeps, from 3 on: the sockets of sd_listen_fds(3), then those of
 * `--preserve-fds`. They are looked at before anything else is opened: a number that the caller has not used would
 * soon be a descriptor of the runtime's, and in the hands of the container (CVE-2024-21626).
 */

import { O_CLOEXEC } from '@crio-lxc/core/abi/constants'
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

/**
 * The numbers of `listening` sockets and of the next `count` descriptors. Of the latter some may be missing, but not the last:
 * what podman calls `--preserve-fd 3,7` it asks for as five. Throws RuntimeError `usage` for one that is not the caller's.
 */
export function preservedFds(count: number, listening = 0): number[] {
  const [all, last] = [listening + count, 2 + listening + count]
  if (all === 0) return []
  const own = ownFds()
  const found: number[] = []
  let missing: number | undefined
  for (let fd = 3; fd <= last; fd++) {
    if (!own.has(fd) && isOpen(fd)) found.push(fd)
    else {
      missing ??= fd
      if (fd < 3 + listening || own.has(last) || !isInherited(last)) break
    }
  }
  if (missing === undefined) return found
  if (found.at(-1) === last) return found.filter(isInherited)
  throw new RuntimeError('usage', `preserve ${all} file descriptors: ${missing} is not open: open all from 3 on`)
}

/** What has come through an execve: in a gap of the caller's numbers may be what the engine has opened since. */
function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readText(`/proc/self/fdinfo/${fd}`))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    return false
  }
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
