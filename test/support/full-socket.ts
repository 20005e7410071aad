/** Listening unix sockets whose owner never accepts, or never reads. */
import { engine } from '@crio-lxc/core/sys/engine'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { call } from '@crio-lxc/core/sys/syscall'
import { connectUnix } from '@crio-lxc/core/sys/unix-socket'

const AF_UNIX = 1
const SOCK_STREAM_CLOEXEC = 0o2000001
/** listen(2), which the product never calls. */
const LISTEN = process.arch === 'x64' ? 50 : 201

/** Listens at `path` and accepts nobody; without `room` the queue is full. Returns what closes it. */
export function listenDeaf(path: string, { room }: { room: boolean }): () => void {
  const address = Buffer.alloc(110)
  address.writeUInt16LE(AF_UNIX, 0)
  const length = 2 + address.write(path, 2) + 1
  const fd = call('socket', [AF_UNIX, SOCK_STREAM_CLOEXEC, 0], () => 'socket()') as Fd
  const fds = [fd]
  call('bind', [fd, address, length], () => `bind(${path})`)
  if (engine.syscall(LISTEN, fd, room ? 8 : 0) !== 0) throw new Error(`listen(${path}) failed`)
  if (!room) fds.push(connectUnix(path, { timeoutMs: 1000 }))
  return () => {
    for (const fd of fds) close(fd)
  }
}
