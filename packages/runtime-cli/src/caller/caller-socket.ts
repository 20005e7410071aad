/** Sockets of the caller that take a descriptor: `--console-socket` a terminal's master, `--pidfd-socket` a pidfd. */
import { encode } from '@crio-lxc/core/abi/bytes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { sendFd } from '@crio-lxc/core/sys/unix-message'
import { connectUnix } from '@crio-lxc/core/sys/unix-socket'

/** A connection to the listening unix stream socket at `path`. */
export function connectCaller(kind: 'console' | 'pidfd', path: string, timeoutMs: number): Fd {
  try {
    return connectUnix(path, { timeoutMs })
  } catch (cause) {
    const problem = `connect to the ${kind} socket ${path}: ${reasonOf(cause)}: start its listener first`
    throw new RuntimeError('io', problem, { cause })
  }
}

/** Sends a pidfd of `pid` in one message, with runc's word for the process: init is `standard`, one of exec `setns`. */
export function sendPidfd(socket: number, pid: number, how: { word: 'standard' | 'setns'; timeoutMs: number }): void {
  const pidfd = pidfdOpen(pid)
  try {
    sendFd(socket, encode(how.word), pidfd, how.timeoutMs)
  } catch (cause) {
    throw new RuntimeError('io', `send the pidfd of ${pid} to the pidfd socket: ${reasonOf(cause)}`, { cause })
  } finally {
    close(pidfd)
  }
}
