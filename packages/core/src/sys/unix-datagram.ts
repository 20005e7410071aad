/** Receiving datagrams of unix(7): what sd_notify(3) sends. */
import { unlessBlocked } from './fd.ts'
import { call } from './syscall.ts'

const MSG_DONTWAIT = 0x40

/**
 * The next datagram, cut after `limit` bytes; undefined when there is none. Descriptors that came with it are closed by
 * the kernel, as there is no room for them.
 */
export function receiveDatagram(fd: number, limit: number): Uint8Array | undefined {
  const bytes = new Uint8Array(limit)
  const length = unlessBlocked(() =>
    call('recvfrom', [fd, bytes, limit, MSG_DONTWAIT, null, null], () => `recv(${fd})`),
  )
  return length === undefined ? undefined : bytes.subarray(0, length)
}
