/** One fd over a unix socket: SCM_RIGHTS, unix(7). */
import { Struct } from '../abi/bytes.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import type { SyscallError } from '../errors/syscall-error.ts'
import { engine } from './engine.ts'
import { type Fd, poll, write } from './fd.ts'
import { monotonicMs } from './program.ts'
import { call } from './syscall.ts'
import { isAgain, late } from './unix-socket.ts'

const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x40000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
/** struct cmsghdr with one fd, and its length without the padding. */
const CMSG_BYTES = 24
const CMSG_LEN = 20

/** `use` with a struct msghdr of 64-bit systems that has one iovec; what it points at is in use until then. */
function withMessage(bytes: Uint8Array, control: Struct, use: (header: Struct) => number): number {
  const iov = new Struct(16).set64(0, engine.address(bytes)).set64(8, bytes.length)
  const header = new Struct(56)
    .set64(16, engine.address(iov))
    .set64(24, 1)
    .set64(32, engine.address(control))
    .set64(40, control.length)
  const result = use(header)
  return iov.length + bytes.length >= 0 ? result : 0
}

export interface Receiving {
  readonly timeoutMs: number
  /** What is waited for, in the words of the error. */
  readonly what: string
}

/** The one fd of a SCM_RIGHTS message (CLOEXEC); undefined at end of file. Throws RuntimeError `timeout`. */
export function receiveFd(socket: number, { timeoutMs, what }: Receiving): Fd | undefined {
  if (!poll([socket], timeoutMs)[0]) throw new RuntimeError('timeout', `${what}: it took longer than ${timeoutMs} ms`)
  const control = new Struct(CMSG_BYTES)
  const length = withMessage(new Uint8Array(4096), control, (header) =>
    call('recvmsg', [socket, header, MSG_CMSG_CLOEXEC], () => `recvmsg(${socket})`),
  )
  return length === 0 ? undefined : (control.i32(16) as Fd)
}

/**
 * Sends all of `bytes`, the fd with the first of them. A reader that is slower than the socket's time-out, on the whole or
 * once, is a SyscallError `timeout`.
 */
export function sendFd(socket: number, bytes: Uint8Array, fd: number, timeoutMs: number): void {
  const deadline = monotonicMs() + timeoutMs
  const text = (): string => `sendmsg(${socket})`
  const tooLate = (): SyscallError => late(text(), `it was not read within ${timeoutMs} ms`)
  const control = new Struct(CMSG_BYTES).set64(0, CMSG_LEN).set32(8, SOL_SOCKET).set32(12, SCM_RIGHTS).set32(16, fd)
  try {
    let sent = withMessage(bytes, control, (header) => call('sendmsg', [socket, header, MSG_NOSIGNAL], text))
    while (sent < bytes.length) {
      if (monotonicMs() > deadline) throw tooLate()
      sent += write(socket, bytes.subarray(sent))
    }
  } catch (error) {
    throw isAgain(error) ? tooLate() : error
  }
}
