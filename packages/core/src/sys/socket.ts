/** Sockets: unix(7) streams and rtnetlink(7). All are CLOEXEC. */

import { encode, Struct } from '../abi/bytes.ts'
import { AF_NETLINK, NETLINK_ROUTE, O_CLOEXEC, SOCK_RAW } from '../abi/constants.ts'
import { close, type Fd } from './fd.ts'
import { attempt, call } from './syscall.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1

/** socketpair(2) of connected streams. */
export function socketpair(): [Fd, Fd] {
  const pair = new Struct(8)
  call('socketpair', [AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, pair], () => 'socketpair()')
  return [pair.i32(0) as Fd, pair.i32(4) as Fd]
}

/** A socket that speaks rtnetlink(7) in the network namespace of this process. */
export function netlinkRoute(): Fd {
  return call('socket', [AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_ROUTE], () => 'socket(AF_NETLINK)') as Fd
}

const SIOCGIFINDEX = 0x8933
const IFNAMSIZ = 16

/** The index of a device in the network namespace of this process; undefined when there is none; netdevice(7). */
export function interfaceIndex(name: string): number | undefined {
  const bytes = encode(name)
  if (bytes.length >= IFNAMSIZ) return undefined
  const request = new Struct(40)
  request.set(bytes)
  const socket = call('socket', [AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0], () => 'socket(AF_UNIX)') as Fd
  const result = attempt('ioctl', socket, SIOCGIFINDEX, request)
  close(socket)
  return result < 0 ? undefined : request.i32(IFNAMSIZ)
}
