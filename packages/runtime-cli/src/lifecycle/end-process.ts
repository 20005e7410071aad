import { openProcess, signalPidfd } from '@crio-lxc/core/process/pidfd'
import type { ProcessIdentity } from '@crio-lxc/core/process/proc'
import { close, poll } from '@crio-lxc/core/sys/libc'

const SIGKILL = 9

/** SIGKILL, and waits until the process is gone: its cgroup can only be removed then. */
export function endProcess(identity: ProcessIdentity, timeoutMs: number): void {
  const pidfd = openProcess(identity)
  if (pidfd !== undefined) endPidfd(pidfd, timeoutMs)
}

/** The same by a pidfd, which is closed. */
export function endPidfd(pidfd: number, timeoutMs: number): void {
  try {
    signalPidfd(pidfd, SIGKILL)
    poll([pidfd], timeoutMs)
  } finally {
    close(pidfd)
  }
}
