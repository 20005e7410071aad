/** Receiving datagrams of unix(7): what sd_notify(3) sends. */
import { call } from './libc.ts'
import { isAgain } from './unix-socket.ts'

const MSG_DONTWAIT = 0x40

/**
 * The next datagram, cut after `limit` bytes; undefined when there is none. Descriptors that came with it are closed by
 * the kernel, as there is no room for them.
 */
export function receiveDatagram(fd: number, limit: number): Buffer | undefined {
  const bytes = Buffer.alloc(limit)
  try {
    const length = call(
      'intptr_t recv(int fd, void *bytes, size_t length, int flags)',
      [fd, bytes, limit, MSG_DONTWAIT],
      () => `recv(${fd})`,
    )
    return bytes.subarray(0, Number(length))
  } catch (error) {
    if (isAgain(error)) return undefined
    throw error
  }
}
