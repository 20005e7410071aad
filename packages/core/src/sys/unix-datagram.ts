/** Datagram sockets of unix(7): what sd_notify(3) speaks. */
import { errnoTable } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { call, close } from './libc.ts'

const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 0o2000002
const MSG_DONTWAIT = 0x40
/** sizeof sun_path, without the zero that ends a path. */
export const SOCKET_NAME_MAX = 107

/** A socket at `path`, which nobody has yet; its mode is 0777 without the umask. */
export function bindDatagram(path: string): number {
  return datagramSocket('bind', path)
}

/** A socket that sends to the one at `name`: a path, or an abstract name after "@". */
export function connectDatagram(name: string): number {
  return datagramSocket('connect', name)
}

function datagramSocket(how: 'bind' | 'connect', name: string): number {
  const address = socketAddress(name)
  const fd = call(
    'int socket(int domain, int type, int protocol)',
    [AF_UNIX, SOCK_DGRAM_CLOEXEC, 0],
    () => 'socket(AF_UNIX)',
  )
  try {
    call(
      `int ${how}(int fd, void *address, unsigned int length)`,
      [fd, address, address.length],
      () => `${how}(${name})`,
    )
  } catch (error) {
    close(fd)
    throw error
  }
  return fd
}

/** struct sockaddr_un, as long as its name: an abstract one begins with a zero, and a path ends with one. */
function socketAddress(name: string): Buffer {
  const bytes = Buffer.from(name)
  if (bytes.length > SOCKET_NAME_MAX)
    throw new RuntimeError('usage', `use the socket ${name}: the name has more than ${SOCKET_NAME_MAX} bytes`)
  const abstract = name.startsWith('@')
  if (abstract) bytes[0] = 0
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  return Buffer.concat(abstract ? [family, bytes] : [family, bytes, Buffer.alloc(1)])
}

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
    if (error instanceof SyscallError && error.errno === errnoTable.EAGAIN[0]) return undefined
    throw error
  }
}
