import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { openProcess, signalPidfd } from '@crio-lxc/core/host/process/pidfd'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { close, poll } from '@crio-lxc/core/sys/fd'

/** SIGKILL, and waits until the process is gone: its cgroup can only be removed then. Throws RuntimeError `timeout`. */
export function endProcess(identity: ProcessIdentity, timeoutMs: number): void {
  const ending = killProcess(identity)
  try {
    ending?.wait(timeoutMs)
  } finally {
    ending?.close()
  }
}

/** A process that has been killed. */
export interface Ending {
  /** Throws RuntimeError `timeout`. */
  readonly wait: (timeoutMs: number) => void
  readonly close: () => void
}

/** SIGKILL; undefined when the process has ended already. */
export function killProcess(identity: ProcessIdentity): Ending | undefined {
  const pidfd = openProcess(identity)
  if (pidfd === undefined) return undefined
  signalPidfd(pidfd, SIGKILL)
  return {
    wait(timeoutMs) {
      if (poll([pidfd], timeoutMs).some(Boolean)) return
      throw new RuntimeError('timeout', `end the process ${identity.pid}: it is left ${timeoutMs} ms after SIGKILL`)
    },
    close: () => close(pidfd),
  }
}
