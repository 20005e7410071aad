/** libc calls on other processes. The rules of libc.ts hold here too. */
import { call } from './libc.ts'

/** pidfd_open(2); the fd is always CLOEXEC. Same number on every architecture. */
export function pidfdOpen(pid: number): number {
  return call('long syscall(long nr, int pid, unsigned int flags)', [434, pid, 0], () => `pidfd_open(${pid})`)
}

/** pidfd_send_signal(2). */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  call(
    'long syscall(long nr, int pidfd, int signal, void *info, unsigned int flags)',
    [424, pidfd, signal, null, 0],
    () => `pidfd_send_signal(${pidfd}, ${signal})`,
  )
}

/** pidfd_getfd(2): a copy (CLOEXEC) of the fd that has the number `fd` in that process. */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return call(
    'long syscall(long nr, int pidfd, int fd, unsigned int flags)',
    [438, pidfd, fd, 0],
    () => `pidfd_getfd(${pidfd}, ${fd})`,
  )
}

const NS_GET_NSTYPE = 0xb703

/** ioctl_ns(2): CLONE_NEW* of the namespace behind `fd`; undefined when it is none. */
export function namespaceType(fd: number): number | undefined {
  try {
    return call('int ioctl(int fd, unsigned long request, void *argument)', [fd, NS_GET_NSTYPE, null], () => 'ioctl')
  } catch {
    return undefined
  }
}
