/** One fd over a unix socket: SCM_RIGHTS, unix(7). */
import { writeSync } from 'node:fs'
import { RuntimeError } from '../errors/runtime-error.ts'
import { codeOf } from '../errors/system-error.ts'
import { foreign } from './foreign.ts'
import { call, poll } from './libc.ts'
import { isAgain } from './unix-socket.ts'

const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x40000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
/** struct cmsghdr with one fd, and its length without the padding. */
const CMSG_BYTES = 24
const CMSG_LEN = 20

/** What a header points at, alive as long as the header: a pointer keeps nothing alive. */
const parts = new WeakMap<Buffer, readonly Buffer[]>()

/** struct msghdr of 64-bit systems, with one iovec. */
function message(bytes: Buffer, control: Buffer): Buffer {
  const { address } = foreign()
  const iov = Buffer.alloc(16)
  iov.writeBigUInt64LE(address(bytes), 0)
  iov.writeBigUInt64LE(BigInt(bytes.length), 8)
  const header = Buffer.alloc(56)
  header.writeBigUInt64LE(address(iov), 16)
  header.writeBigUInt64LE(1n, 24)
  header.writeBigUInt64LE(address(control), 32)
  header.writeBigUInt64LE(BigInt(control.length), 40)
  parts.set(header, [bytes, control, iov])
  return header
}

export interface Receiving {
  readonly timeoutMs: number
  /** What is waited for, in the words of the error. */
  readonly what: string
}

/** The one fd of a SCM_RIGHTS message (CLOEXEC); undefined at end of file. Throws RuntimeError `timeout`. */
export function receiveFd(socket: number, { timeoutMs, what }: Receiving): number | undefined {
  if (!poll([socket], timeoutMs)[0]) throw new RuntimeError('timeout', `${what}: it took longer than ${timeoutMs} ms`)
  const control = Buffer.alloc(CMSG_BYTES)
  const length = call(
    'intptr_t recvmsg(int socket, void *message, int flags)',
    [socket, message(Buffer.alloc(4096), control), MSG_CMSG_CLOEXEC],
    () => `recvmsg(${socket})`,
  )
  return Number(length) === 0 ? undefined : control.readInt32LE(16)
}

/**
 * Sends all of `bytes`, the fd with the first of them. A reader that is slower than the socket's time-out, on the whole or
 * once, is a RuntimeError `timeout`.
 */
export function sendFd(socket: number, bytes: Buffer, fd: number, timeoutMs: number): void {
  const deadline = performance.now() + timeoutMs
  const late = (): RuntimeError =>
    new RuntimeError('timeout', `sendmsg(${socket}): it was not read within ${timeoutMs} ms`)
  const control = Buffer.alloc(CMSG_BYTES)
  control.writeBigUInt64LE(BigInt(CMSG_LEN), 0)
  control.writeInt32LE(SOL_SOCKET, 8)
  control.writeInt32LE(SCM_RIGHTS, 12)
  control.writeInt32LE(fd, 16)
  try {
    let sent = Number(
      call(
        'intptr_t sendmsg(int socket, void *message, int flags)',
        [socket, message(bytes, control), MSG_NOSIGNAL],
        () => `sendmsg(${socket})`,
      ),
    )
    while (sent < bytes.length) {
      if (performance.now() > deadline) throw late()
      sent += writeSync(socket, bytes, sent)
    }
  } catch (error) {
    throw isAgain(error) || codeOf(error) === 'EAGAIN' ? late() : error
  }
}
