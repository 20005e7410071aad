import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { openProcess, signalPidfd } from '@crio-lxc/core/process/pidfd'
import type { ProcessIdentity } from '@crio-lxc/core/process/proc'
import { close, poll } from '@crio-lxc/core/sys/libc'

/** SIGKILL, and waits until the process is gone: its cgroup can only be removed then. */
export function endProcess(identity: ProcessIdentity, timeoutMs: number): void {
  const pidfd = openProcess(identity)
  if (pidfd === undefined) return
  try {
    signalPidfd(pidfd, SIGKILL)
    poll([pidfd], timeoutMs)
  } finally {
    close(pidfd)
  }
}
