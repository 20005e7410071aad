import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { isForbidden, openProcess, signalPidfd } from '@crio-lxc/core/host/process/pidfd'
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

/**
 * SIGKILL; undefined when the process has ended already. What a security module forbids fails in `wait`: the kernel, which
 * empties a cgroup by itself, may have ended the process until then.
 */
export function killProcess(identity: ProcessIdentity): Ending | undefined {
  const pidfd = openProcess(identity)
  if (pidfd === undefined) return undefined
  const forbidden = killOrReason(pidfd)
  return {
    wait(timeoutMs) {
      if (poll([pidfd], forbidden ? 0 : timeoutMs).some(Boolean)) return
      if (forbidden) throw forbidden
      throw new RuntimeError('timeout', `end the process ${identity.pid}: it is left ${timeoutMs} ms after SIGKILL`)
    },
    close: () => close(pidfd),
  }
}

function killOrReason(pidfd: number): Error | undefined {
  try {
    signalPidfd(pidfd, SIGKILL)
    return undefined
  } catch (error) {
    if (!isForbidden(error)) throw error
    return error
  }
}
