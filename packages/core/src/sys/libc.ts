/**
 * libc through foreign functions: one function a call, with the call's name. Each adds O_CLOEXEC where the kernel offers it,
 * repeats after EINTR, and throws SyscallError. Calls that glibc 2.36 does not wrap go through syscall(2) with the
 * number from abi/arch.ts.
 */
import { archOf, type Call, callNumber } from '../abi/arch.ts'
import {
  AF_NETLINK,
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MS_PRIVATE,
  MS_REC,
  NETLINK_ROUTE,
  O_CLOEXEC,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  SOCK_RAW,
} from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { foreign, type Library, type Native } from './foreign.ts'
import { koffi } from './koffi.ts'

const declared = new Map<string, Native>()
let library: Library | undefined

/** A libc function by its C prototype, declared at its first use. */
function native(prototype: string): Native {
  let call = declared.get(prototype)
  if (!call) {
    library ??= foreign().load('libc.so.6')
    call = library.func(prototype) as Native
    declared.set(prototype, call)
  }
  return call
}

/** Calls `prototype` until it is not interrupted; `name` and `args` are for the error. */
export function call(prototype: string, args: readonly unknown[], text: () => string): number {
  const { errno: lastErrno } = foreign()
  const fn = native(prototype)
  for (;;) {
    const result = fn(...args)
    // errno is read before anything else can make a system call.
    const errno = result === -1 ? lastErrno() : 0
    if (result !== -1) return result
    if (errno !== errnoTable.EINTR[0]) throw new SyscallError(text(), errno)
  }
}

/** The number of a system call that glibc does not wrap. */
export function syscallNumber(name: Call): number {
  const arch = archOf(process.arch)
  if (!arch) throw new RuntimeError('unsupported', `the processor architecture ${process.arch} is not supported`)
  return callNumber(arch, name)
}

/** EAGAIN: something was renamed or mounted somewhere while ".." was resolved, and the kernel leaves it to us to try again. */
const OPENAT2_TRIES = 128

/** openat2(2); `flags` get O_CLOEXEC. */
export function openat2(dirfd: number, path: string, { flags, resolve }: { flags: number; resolve: number }): number {
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0)
  how.writeBigUInt64LE(0n, 8)
  how.writeBigUInt64LE(BigInt(resolve), 16)
  const args = [syscallNumber('openat2'), dirfd, path, how, 24]
  for (let tries = 1; ; tries++) {
    try {
      const prototype = 'long syscall(long nr, int dirfd, const char *path, void *how, size_t size)'
      return call(prototype, args, () => `openat2(${dirfd}, ${JSON.stringify(path)})`)
    } catch (error) {
      const raced = error instanceof SyscallError && error.errno === errnoTable.EAGAIN[0]
      if (!raced || tries === OPENAT2_TRIES) throw error
    }
  }
}

/** open_tree(2): a detached copy of the mount at `path` below `dirfd` ("" for `dirfd` itself), CLOEXEC. */
export function cloneTree(dirfd: number, path: string, { recursive }: { recursive: boolean }): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path === '' ? AT_EMPTY_PATH : 0) | (recursive ? AT_RECURSIVE : 0)
  return call(
    'long syscall(long nr, int dirfd, const char *path, unsigned int flags)',
    [syscallNumber('open_tree'), dirfd, path, flags],
    () => `open_tree(${dirfd}, ${JSON.stringify(path)})`,
  )
}

export interface MountAttributes {
  readonly set?: number
  readonly clear?: number
  readonly propagation?: number
  readonly recursive?: boolean
  /** fd of the user namespace whose maps MOUNT_ATTR_IDMAP takes. */
  readonly userNamespace?: number
}

/** mount_setattr(2) on the mount behind `fd`. */
export function mountSetattr(
  fd: number,
  { set = 0, clear = 0, propagation = 0, recursive = false, userNamespace = 0 }: MountAttributes,
): void {
  const attr = Buffer.alloc(32)
  attr.writeBigUInt64LE(BigInt(set), 0)
  attr.writeBigUInt64LE(BigInt(clear), 8)
  attr.writeBigUInt64LE(BigInt(propagation), 16)
  attr.writeBigUInt64LE(BigInt(userNamespace), 24)
  call(
    'long syscall(long nr, int dirfd, const char *path, unsigned int flags, void *attr, size_t size)',
    [syscallNumber('mount_setattr'), fd, '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr, 32],
    () => `mount_setattr(${fd}, set ${set}, clear ${clear}, propagation ${propagation})`,
  )
}

/** sizeof(struct statfs), and where its f_flags are. */
const STATFS_BYTES = 120
const STATFS_FLAGS = 80

/** ST_* (statvfs(3)) of the mount behind `fd`, which may be an O_PATH one. */
export function mountFlags(fd: number): number {
  const buffer = Buffer.alloc(STATFS_BYTES)
  call('int fstatfs(int fd, void *buffer)', [fd, buffer], () => `fstatfs(${fd})`)
  return Number(buffer.readBigUInt64LE(STATFS_FLAGS))
}

/** A clone of a shared mount stays its peer: made private before anything is mounted below it. */
export function privateTree(dirfd: number, path: string, { recursive }: { recursive: boolean }): number {
  const fd = cloneTree(dirfd, path, { recursive })
  mountSetattr(fd, { propagation: MS_PRIVATE & ~MS_REC, recursive: true })
  return fd
}

/** pipe2(2) with O_CLOEXEC: [read end, write end]. */
export function pipe(): [number, number] {
  const pair = Buffer.alloc(8)
  call('int pipe2(void *fds, int flags)', [pair, O_CLOEXEC], () => 'pipe2()')
  return [pair.readInt32LE(0), pair.readInt32LE(4)]
}

/** socketpair(2) of connected AF_UNIX streams, CLOEXEC. */
export function socketpair(): [number, number] {
  const pair = Buffer.alloc(8)
  call(
    'int socketpair(int domain, int type, int protocol, void *fds)',
    [1, 1 | O_CLOEXEC, 0, pair],
    () => 'socketpair()',
  )
  return [pair.readInt32LE(0), pair.readInt32LE(4)]
}

/** A socket that speaks rtnetlink(7) in the network namespace of this process, CLOEXEC. */
export function netlinkRoute(): number {
  return call(
    'int socket(int domain, int type, int protocol)',
    [AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_ROUTE],
    () => 'socket(AF_NETLINK)',
  )
}

/** if_nametoindex(3) in the network namespace of this process; undefined when there is no such device. */
export function interfaceIndex(name: string): number | undefined {
  return call('unsigned int if_nametoindex(const char *name)', [name], () => `if_nametoindex(${name})`) || undefined
}

/** mkfifo(3); `mode` is not cut by the umask of the caller because the runtime sets it to 0 at start. */
export function mkfifo(path: string, mode: number): void {
  call('int mkfifo(const char *path, unsigned int mode)', [path, mode], () => `mkfifo(${path})`)
}

/** mknod(2); the umask of the runtime cuts the mode. */
export function mknod(path: string, mode: number, device: number): void {
  call(
    'int mknod(const char *path, unsigned int mode, unsigned long device)',
    [path, mode, device],
    () => `mknod(${path})`,
  )
}

export function close(fd: number): void {
  native('int close(int fd)')(fd)
}

/** fcntl(F_DUPFD_CLOEXEC): a copy of `fd` with a number of at least `minimum`. */
export function dupAbove(fd: number, minimum: number): number {
  return call('int fcntl(int fd, int command, long arg)', [fd, 1030, minimum], () => `fcntl(${fd}, F_DUPFD_CLOEXEC)`)
}

/** fcntl(F_SETFD, FD_CLOEXEC): for a descriptor that this process has been given. */
export function closeOnExec(fd: number): void {
  call('int fcntl(int fd, int command, long arg)', [fd, 2, 1], () => `fcntl(${fd}, F_SETFD)`)
}

/** prctl(2) of this process. */
export function prctl(option: number, value: number): void {
  call(
    'int prctl(int option, unsigned long value, long, long, long)',
    [option, value, 0, 0, 0],
    () => `prctl(${option})`,
  )
}

const POLL = 'int poll(void *fds, unsigned long count, int timeout)'

export const POLLIN = 1
export const POLLPRI = 2
export const POLLOUT = 4

/** A fd that is waited for until it has input, or what `events` says; -1 is waited for in vain. */
export type Polled = number | { readonly fd: number; readonly events: number }

/** poll(2). Returns the revents of each fd; all 0 after `timeoutMs` (-1 waits for ever). */
export function poll(polled: readonly Polled[], timeoutMs: number): number[] {
  const entries = pollEntries(polled)
  call(POLL, [entries, polled.length, timeoutMs], () => 'poll()')
  return results(entries, polled)
}

/** The same on a thread of koffi's, so that signals are handled meanwhile. */
export async function pollAsync(polled: readonly Polled[], timeoutMs = -1): Promise<number[]> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = timeoutMs < 0 ? -1 : Math.max(0, Math.ceil(deadline - performance.now()))
    const revents = await pollOnThread(polled, left)
    if (revents) return revents
    // The errno of another thread is not to be had: an interruption is over by now, and any other error comes again here.
    const present = poll(polled, 0)
    if (present.some(Boolean) || left === 0) return present
  }
}

/** undefined after an error. */
function pollOnThread(polled: readonly Polled[], timeoutMs: number): Promise<number[] | undefined> {
  const entries = pollEntries(polled)
  const fn = koffi().load('libc.so.6').func(POLL) as unknown as { async: (...args: unknown[]) => void }
  return new Promise((resolve, reject) => {
    fn.async(entries, polled.length, timeoutMs, (error: Error | null, result: number) => {
      if (error) reject(error)
      else resolve(result < 0 ? undefined : results(entries, polled))
    })
  })
}

/** struct pollfd[]. */
function pollEntries(polled: readonly Polled[]): Buffer {
  const entries = Buffer.alloc(8 * polled.length)
  polled.forEach((each, i) => {
    const { fd, events } = typeof each === 'number' ? { fd: each, events: POLLIN } : each
    entries.writeInt32LE(fd, 8 * i)
    entries.writeInt16LE(events, 8 * i + 4)
  })
  return entries
}

function results(entries: Buffer, polled: readonly Polled[]): number[] {
  return polled.map((_, i) => entries.readInt16LE(8 * i + 6))
}

export interface NewMount {
  readonly type: string
  readonly source: string
  /** SELinux context of everything on it; it may have commas. */
  readonly context?: string
  /** Options of the filesystem, each a flag or `key=value` of at most 255 bytes. */
  readonly parameters: readonly string[]
  /** MOUNT_ATTR_*. */
  readonly attributes: number
}

const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6

/** fsopen(2), fsconfig(2) and fsmount(2): a new filesystem that is attached nowhere, CLOEXEC. */
export function newMount({ type, source, context: label, parameters, attributes }: NewMount): number {
  const context = call(
    'long syscall(long nr, const char *type, unsigned int flags)',
    [430, type, 1],
    () => `fsopen(${type})`,
  )
  const config = (command: number, key: string | null, value: string | null): number =>
    call(
      'long syscall(long nr, int fd, unsigned int command, const char *key, const char *value, int aux)',
      [431, context, command, key, value, 0],
      () => `fsconfig(${type}, ${key ?? 'create'}${value === null ? '' : `=${value}`})`,
    )
  try {
    config(FSCONFIG_SET_STRING, 'source', source)
    if (label) config(FSCONFIG_SET_STRING, 'context', label)
    for (const option of parameters) {
      const [key = '', ...value] = option.split('=')
      if (option.includes('=')) config(FSCONFIG_SET_STRING, key, value.join('='))
      else config(FSCONFIG_SET_FLAG, key, null)
    }
    config(FSCONFIG_CMD_CREATE, null, null)
    return call(
      'long syscall(long nr, int fd, unsigned int flags, unsigned int attributes)',
      [432, context, 1, attributes],
      () => `fsmount(${type})`,
    )
  } finally {
    close(context)
  }
}
