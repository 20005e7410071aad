/** libc calls on other processes. The rules of libc.ts hold here too. */
import { IOPRIO_WHO_PROCESS, PR_GET_CHILD_SUBREAPER, PR_SET_CHILD_SUBREAPER } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { call, prctl, syscallNumber } from './libc.ts'

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

/** prlimit(2): both limits of `resource` (RLIMIT_*) of another process. */
export function prlimit(pid: number, resource: number, limits: { soft: number | bigint; hard: number | bigint }): void {
  const rlimit = Buffer.alloc(16)
  rlimit.writeBigUInt64LE(BigInt(limits.soft), 0)
  rlimit.writeBigUInt64LE(BigInt(limits.hard), 8)
  call(
    'int prlimit(int pid, int resource, void *limits, void *previous)',
    [pid, resource, rlimit, null],
    () => `prlimit(${pid}, ${resource})`,
  )
}

/** sched_setattr(2) of another process; `attr` is struct sched_attr, and `text` the way a person reads it. */
export function schedSetattr(pid: number, attr: Uint8Array, text: string): void {
  call(
    'long syscall(long nr, int pid, void *attr, unsigned int flags)',
    [syscallNumber('sched_setattr'), pid, Buffer.from(attr), 0],
    () => `sched_setattr(${pid}, ${text})`,
  )
}

/** ioprio_set(2) of another process. */
export function ioprioSet(pid: number, priority: number): void {
  call(
    'long syscall(long nr, int which, int who, int priority)',
    [syscallNumber('ioprio_set'), IOPRIO_WHO_PROCESS, pid, priority],
    () => `ioprio_set(${pid}, ${priority})`,
  )
}

/** setsid(2), of a process that leads no process group. */
export function setsid(): void {
  call('int setsid()', [], () => 'setsid()')
}

/** prctl(2): what is orphaned below this process meanwhile becomes its child. */
export function asSubreaper<Result>(use: () => Result): Result {
  const previous = Buffer.alloc(4)
  call(
    'int prctl(int option, void *value, long, long, long)',
    [PR_GET_CHILD_SUBREAPER, previous, 0, 0, 0],
    () => `prctl(${PR_GET_CHILD_SUBREAPER})`,
  )
  prctl(PR_SET_CHILD_SUBREAPER, 1)
  try {
    return use()
  } finally {
    prctl(PR_SET_CHILD_SUBREAPER, previous.readInt32LE(0))
  }
}

const LOCK_EX = 2
const LOCK_NB = 4

/** flock(2): an exclusive lock for as long as `fd` is open; false when another process has it. */
export function tryLock(fd: number): boolean {
  try {
    call('int flock(int fd, int operation)', [fd, LOCK_EX | LOCK_NB], () => `flock(${fd})`)
    return true
  } catch (error) {
    if (error instanceof SyscallError && error.errno === errnoTable.EAGAIN[0]) return false
    throw error
  }
}

const NS_GET_USERNS = 0xb701

/** ioctl_ns(2): fd (CLOEXEC) of the user namespace that owns the namespace behind `fd`. */
export function owningUserNamespace(fd: number): number {
  return call(
    'int ioctl(int fd, unsigned long request, void *argument)',
    [fd, NS_GET_USERNS, null],
    () => `ioctl(${fd}, NS_GET_USERNS)`,
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
