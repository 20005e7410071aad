/** Signals and waiting by pidfd: no other process can be meant, even when the pid is given away (pidfd_open(2)). */

import { errnoTable } from '../../abi/errno.ts'
import { SyscallError } from '../../errors/syscall-error.ts'
import { close, type Fd } from '../../sys/fd.ts'
import { readLineIfThere } from '../../sys/if-there.ts'
import { pidfdOpen, pidfdSendSignal } from '../../sys/process.ts'
import { isAlive, type ProcessIdentity } from './proc.ts'

/** A pidfd of exactly this process; undefined when it has ended. */
export function openProcess(identity: ProcessIdentity): Fd | undefined {
  // Most often asked of a process that has ended: then no native code is loaded.
  if (!isAlive(identity)) return undefined
  let fd: Fd
  try {
    fd = pidfdOpen(identity.pid)
  } catch (error) {
    if (isNoSuchProcess(error)) return undefined
    throw error
  }
  // Only now: what the pid means cannot change any more while the fd is open.
  if (isAlive(identity)) return fd
  close(fd)
  return undefined
}

/** Sends `signal`; false when the process has ended. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  const fd = openProcess(identity)
  if (fd === undefined) return false
  try {
    return signalPidfd(fd, signal)
  } finally {
    close(fd)
  }
}

/**
 * The same by a pidfd. The process may have been reaped since that was opened. Throws SyscallError; isForbidden(error) when a
 * security module is its reason.
 */
export function signalPidfd(pidfd: number, signal: number): boolean {
  try {
    pidfdSendSignal(pidfd, signal)
    return true
  } catch (error) {
    if (isNoSuchProcess(error)) return false
    throw isForbidden(error) ? forbidden(error) : error
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof SyscallError && error.errno === errnoTable.ESRCH[0]
}

/** The kernel itself says EPERM: kill(2). EACCES comes from AppArmor and SELinux. */
export function isForbidden(error: unknown): error is SyscallError {
  return error instanceof SyscallError && error.errno === errnoTable.EACCES[0]
}

function forbidden({ call, errno }: SyscallError): SyscallError {
  const own = ownLabel()
  const reason = `a security module forbids it: the profile of the container has to allow signals from ${own}`
  return new SyscallError(call, errno, reason)
}

/** `crio-lxc (unconfined)` of AppArmor, `u:r:container_runtime_t:s0` of SELinux. */
function ownLabel(): string {
  try {
    const label = readLineIfThere('/proc/self/attr/current')?.replace(/[\0\n]+$/, '')
    return label ? JSON.stringify(label) : 'this program'
  } catch {
    return 'this program'
  }
}
