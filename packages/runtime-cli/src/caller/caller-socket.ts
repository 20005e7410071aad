/** Sockets of the caller that take a descriptor: `--console-socket` a terminal's master, `--pidfd-socket` a pidfd. */
import { encode } from '@crio-lxc/core/abi/bytes'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { sendFd } from '@crio-lxc/core/sys/unix-message'
import { connectUnix } from '@crio-lxc/core/sys/unix-socket'

/** A connection to the listening unix stream socket at `path`. */
export function connectCaller(kind: 'console' | 'pidfd', path: string, timeoutMs: number): Fd {
  try {
    return connectUnix(path, { timeoutMs })
  } catch (cause) {
    const reason = messageOf(cause).replace(/^connect\(.*\): /s, '')
    throw new RuntimeError('io', `connect to the ${kind} socket ${path}: ${reason}: start its listener first`, {
      cause,
    })
  }
}

/** Sends a pidfd of `pid` in one message, with runc's word for the process: init is `standard`, one of exec `setns`. */
export function sendPidfd(socket: number, pid: number, how: { word: 'standard' | 'setns'; timeoutMs: number }): void {
  const pidfd = pidfdOpen(pid)
  try {
    sendFd(socket, encode(how.word), pidfd, how.timeoutMs)
  } catch (cause) {
    const reason = messageOf(cause).replace(/^sendmsg\(.*\): /s, '')
    throw new RuntimeError('io', `send the pidfd of ${pid} to the pidfd socket: ${reason}`, { cause })
  } finally {
    close(pidfd)
  }
}
