/** System calls about other processes, and about this one as their relative. */

import { Struct } from '../abi/bytes.ts'
import { IOPRIO_WHO_PROCESS, PR_GET_CHILD_SUBREAPER, PR_SET_CHILD_SUBREAPER } from '../abi/constants.ts'
import { RLIMIT_BYTES, RLIMIT_CUR, RLIMIT_MAX } from '../abi/layouts.ts'
import { engine } from './engine.ts'
import type { Fd } from './fd.ts'
import { attempt, call } from './syscall.ts'

/** pidfd_open(2); the fd is always CLOEXEC. */
export function pidfdOpen(pid: number): Fd {
  return call('pidfd_open', [pid, 0], () => `pidfd_open(${pid})`) as Fd
}

/** pidfd_send_signal(2). */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  call('pidfd_send_signal', [pidfd, signal, null, 0], () => `pidfd_send_signal(${pidfd}, ${signal})`)
}

/** setns(2): this thread is in the namespace that the file stands for. */
export function setns(namespace: number): void {
  call('setns', [namespace, 0], () => `setns(${namespace})`)
}

/** pidfd_getfd(2): a copy (CLOEXEC) of the fd that has the number `fd` in that process. */
export function pidfdGetfd(pidfd: number, fd: number): Fd {
  return call('pidfd_getfd', [pidfd, fd, 0], () => `pidfd_getfd(${pidfd}, ${fd})`) as Fd
}

/** prlimit(2): both limits of `resource` (RLIMIT_*) of another process. */
export function prlimit(pid: number, resource: number, limits: { soft: number | bigint; hard: number | bigint }): void {
  const rlimit = new Struct(RLIMIT_BYTES).set64(RLIMIT_CUR, limits.soft).set64(RLIMIT_MAX, limits.hard)
  call('prlimit64', [pid, resource, rlimit, null], () => `prlimit(${pid}, ${resource})`)
}

/** sched_setattr(2) of another process; `attr` is struct sched_attr, and `text` the way a person reads it. */
export function schedSetattr(pid: number, attr: Uint8Array, text: string): void {
  call('sched_setattr', [pid, attr, 0], () => `sched_setattr(${pid}, ${text})`)
}

/** ioprio_set(2) of another process. */
export function ioprioSet(pid: number, priority: number): void {
  call('ioprio_set', [IOPRIO_WHO_PROCESS, pid, priority], () => `ioprio_set(${pid}, ${priority})`)
}

/** setsid(2), of a process that leads no process group. */
export function setsid(): void {
  call('setsid', [], () => 'setsid()')
}

/** prctl(2) of this process. */
export function prctl(option: number, value: number): void {
  call('prctl', [option, value, 0, 0, 0], () => `prctl(${option})`)
}

/** prctl(2): what is orphaned below this process meanwhile becomes its child; not of a process that has other children. */
export function asSubreaper<Result>(use: () => Result): Result {
  if (engine.thread) return use()
  const before = isSubreaper()
  prctl(PR_SET_CHILD_SUBREAPER, 1)
  try {
    return use()
  } finally {
    prctl(PR_SET_CHILD_SUBREAPER, before ? 1 : 0)
  }
}

/** PR_GET_CHILD_SUBREAPER(2const) */
function isSubreaper(): boolean {
  const answer = new Struct(4)
  call('prctl', [PR_GET_CHILD_SUBREAPER, answer, 0, 0, 0], () => `prctl(${PR_GET_CHILD_SUBREAPER})`)
  return answer.i32(0) !== 0
}

/** Whether children of other processes, which have ended, may become children of this thread. */
export function getsOrphans(): boolean {
  return !engine.thread && (isSubreaper() || attempt('getpid') === 1)
}

const CLONE_FS = 0x200

/** unshare(2): umask and working directory are from now on this thread's own. */
export function unshareFilesystem(): void {
  call('unshare', [CLONE_FS], () => 'unshare(CLONE_FS)')
}

const NS_GET_USERNS = 0xb701

/** ioctl_ns(2): fd (CLOEXEC) of the user namespace that owns the namespace behind `fd`. */
export function owningUserNamespace(fd: number): Fd {
  return call('ioctl', [fd, NS_GET_USERNS, null], () => `ioctl(${fd}, NS_GET_USERNS)`) as Fd
}

const NS_GET_NSTYPE = 0xb703

/** ioctl_ns(2): CLONE_NEW* of the namespace behind `fd`; undefined when it is none. */
export function namespaceType(fd: number): number | undefined {
  const type = attempt('ioctl', fd, NS_GET_NSTYPE, null)
  return type < 0 ? undefined : type
}
