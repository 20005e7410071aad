/** Listening unix sockets whose owner never accepts, or never reads. */
import { call, close } from '@crio-lxc/core/sys/libc'
import { connectUnix } from '@crio-lxc/core/sys/unix-socket'

const AF_UNIX = 1
const SOCK_STREAM_CLOEXEC = 0o2000001

/** Listens at `path` and accepts nobody; without `room` the queue is full. Returns what closes it. */
export function listenDeaf(path: string, { room }: { room: boolean }): () => void {
  const address = Buffer.alloc(110)
  address.writeUInt16LE(AF_UNIX, 0)
  const length = 2 + address.write(path, 2) + 1
  const fds = [
    call('int socket(int domain, int type, int protocol)', [AF_UNIX, SOCK_STREAM_CLOEXEC, 0], () => 'socket()'),
  ]
  const [fd] = fds
  call('int bind(int fd, void *address, unsigned int length)', [fd, address, length], () => `bind(${path})`)
  call('int listen(int fd, int backlog)', [fd, room ? 8 : 0], () => `listen(${path})`)
  if (!room) fds.push(connectUnix(path, { timeoutMs: 1000 }))
  return () => fds.forEach(close)
}
