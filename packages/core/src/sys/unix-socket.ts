/** Sockets of unix(7): their addresses, and connections that are not waited for without end. */
import { concat, encode, Struct } from '../abi/bytes.ts'
import { AT_FDCWD, O_CLOEXEC, O_PATH } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { close, type Fd } from './fd.ts'
import { openat2 } from './mount.ts'
import { call } from './syscall.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOL_SOCKET = 1
const SO_SNDTIMEO = 21
/** sizeof sun_path, without the zero that ends a path. */
export const SOCKET_NAME_MAX = 107

const types = { stream: SOCK_STREAM, datagram: SOCK_DGRAM }

export interface Connecting {
  /** Of the connection, and of everything that is sent on it later. */
  readonly timeoutMs: number
}

/** A connection (CLOEXEC) to the stream socket at `path`. Throws SyscallError, `timeout` when nobody accepts it in time. */
export function connectUnix(path: string, { timeoutMs }: Connecting): Fd {
  return connect('stream', path, timeoutMs)
}

/** A socket that sends datagrams to the one at `name`: a path, or an abstract name after "@". Throws as connectUnix does. */
export function connectDatagram(name: string, { timeoutMs }: Connecting): Fd {
  return connect('datagram', name, timeoutMs)
}

/** A datagram socket at `path`, which nobody has yet; its mode is 0777 without the umask. */
export function bindDatagram(path: string): Fd {
  const fd = openSocket('datagram')
  return orClose(fd, () => {
    const address = socketAddress(path)
    call('bind', [fd, address, address.length], () => `bind(${path})`)
    return fd
  })
}

function connect(type: keyof typeof types, name: string, timeoutMs: number): Fd {
  const fd = openSocket(type)
  return orClose(fd, () => {
    // connect(2) waits for room in the listener's queue, send(2) for room in its buffer.
    setSendTimeout(fd, timeoutMs)
    withAddress(name, (address) => {
      try {
        call('connect', [fd, address, address.length], () => `connect(${name})`)
      } catch (error) {
        if (!isAgain(error)) throw error
        throw late(`connect(${name})`, `nobody accepted it within ${timeoutMs} ms`)
      }
    })
    return fd
  })
}

/** A path that is too long for an address goes by way of the socket's file, whose name below /proc is short. */
function withAddress(name: string, use: (address: Uint8Array) => void): void {
  if (name.startsWith('@') || encode(name).length <= SOCKET_NAME_MAX) {
    use(socketAddress(name))
    return
  }
  let file: Fd
  try {
    file = openat2(AT_FDCWD, name, { flags: O_PATH, resolve: 0 })
  } catch (error) {
    throw error instanceof SyscallError ? new SyscallError(`connect(${name})`, error.errno) : error
  }
  try {
    use(socketAddress(`/proc/self/fd/${file}`))
  } finally {
    close(file)
  }
}

/** struct sockaddr_un, as long as its name: an abstract one begins with a zero, and a path ends with one. */
function socketAddress(name: string): Uint8Array {
  const bytes = encode(name)
  if (bytes.length > SOCKET_NAME_MAX)
    throw new RuntimeError('usage', `use the socket ${name}: the name has more than ${SOCKET_NAME_MAX} bytes`)
  const abstract = name.startsWith('@')
  if (abstract) bytes[0] = 0
  const family = new Struct(2).set16(0, AF_UNIX)
  return abstract ? concat(family, bytes) : concat(family, bytes, new Uint8Array(1))
}

function openSocket(type: keyof typeof types): Fd {
  return call('socket', [AF_UNIX, types[type] | O_CLOEXEC, 0], () => 'socket(AF_UNIX)') as Fd
}

/** What waits longer fails with EAGAIN (socket(7), SO_SNDTIMEO). */
function setSendTimeout(fd: number, timeoutMs: number): void {
  // Two zeros are no limit.
  const microseconds = Math.max(1, Math.round((timeoutMs % 1000) * 1000))
  const timeval = new Struct(16).set64(0, Math.floor(timeoutMs / 1000)).set64(8, microseconds)
  call('setsockopt', [fd, SOL_SOCKET, SO_SNDTIMEO, timeval, timeval.length], () => `setsockopt(${fd}, SO_SNDTIMEO)`)
}

/** What SO_SNDTIMEO has ended. */
export function late(text: string, reason: string): SyscallError {
  return new SyscallError(text, errnoTable.EAGAIN[0], reason, 'timeout')
}

export function isAgain(error: unknown): boolean {
  return error instanceof SyscallError && error.errno === errnoTable.EAGAIN[0]
}

function orClose<Result>(fd: Fd, use: () => Result): Result {
  try {
    return use()
  } catch (error) {
    close(fd)
    throw error
  }
}
