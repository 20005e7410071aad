/** File descriptors: what can be done with any of them. All that are made here are CLOEXEC. */

import { encode, Struct } from '../abi/bytes.ts'
import { O_CLOEXEC } from '../abi/constants.ts'
import { Interrupted } from '../errors/interrupted.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { engine } from './engine.ts'
import { attempt, call, checked } from './syscall.ts'

declare const brand: unique symbol
/** The number of a descriptor that this process has opened, and nothing else: only such a number is closed. */
export type Fd = number & { readonly [brand]: 'Fd' }

export function close(fd: Fd): void {
  attempt('close', fd)
}

/** How many bytes came, at `position` where one is given (pread(2)); 0 at the end of the file. */
export function read(fd: number, into: Uint8Array, position?: number): number {
  if (position === undefined) return call('read', [fd, into, into.length], () => `read(${fd})`)
  return call('pread64', [fd, into, into.length, position], () => `pread(${fd}, ${position})`)
}

/** How many of the bytes were taken. */
export function write(fd: number, content: string | Uint8Array, position?: number): number {
  const bytes = typeof content === 'string' ? encode(content) : content
  if (position === undefined) return call('write', [fd, bytes, bytes.length], () => `write(${fd})`)
  return call('pwrite64', [fd, bytes, bytes.length, position], () => `pwrite(${fd}, ${position})`)
}

/** Writes all of it, also when the reader is slow and the fd does not block. */
export function writeAll(fd: number, content: string | Uint8Array, text = () => `write(${fd})`): void {
  const bytes = typeof content === 'string' ? encode(content) : content
  for (let at = 0; at < bytes.length; ) {
    const taken = attempt('write', fd, bytes.subarray(at), bytes.length - at)
    if (taken === -EAGAIN) poll([{ fd, events: POLLOUT }], -1)
    else at += checked(taken, text)
  }
}

const PIECE = 65536

/** Everything from the present position to the end of the file, or the first `limit` bytes of it. */
export function readToEnd(fd: number, limit = Number.MAX_SAFE_INTEGER, expected = 4096): Uint8Array {
  let bytes = new Uint8Array(Math.min(limit, expected))
  let length = 0
  while (length < limit) {
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.min(limit, length + Math.max(length, PIECE)))
      larger.set(bytes)
      bytes = larger
    }
    const count = read(fd, length === 0 ? bytes : bytes.subarray(length))
    if (count === 0) break
    length += count
  }
  return bytes.subarray(0, length)
}

const EAGAIN = 11

/** `use`, or undefined when the fd would block. */
export function unlessBlocked<Result>(use: () => Result): Result | undefined {
  try {
    return use()
  } catch (error) {
    if (error instanceof SyscallError && error.errno === EAGAIN) return undefined
    throw error
  }
}

const F_SETFD = 2
const FD_CLOEXEC = 1
const F_DUPFD_CLOEXEC = 1030

/** A copy of `fd` with a number of at least `minimum`. */
export function dupAbove(fd: number, minimum: number): Fd {
  return call('fcntl', [fd, F_DUPFD_CLOEXEC, minimum], () => `fcntl(${fd}, F_DUPFD_CLOEXEC)`) as Fd
}

/** For a descriptor that this process has been given. */
export function closeOnExec(fd: number): void {
  call('fcntl', [fd, F_SETFD, FD_CLOEXEC], () => `fcntl(${fd}, F_SETFD)`)
}

/** pipe2(2): [read end, write end]. */
export function pipe(): [Fd, Fd] {
  const pair = new Struct(8)
  call('pipe2', [pair, O_CLOEXEC], () => 'pipe2()')
  return [pair.i32(0) as Fd, pair.i32(4) as Fd]
}

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

/** flock(2): an exclusive lock for as long as `fd` is open; false when another process has it. */
export function tryLock(fd: number): boolean {
  return unlessBlocked(() => call('flock', [fd, LOCK_EX | LOCK_NB], () => `flock(${fd})`)) !== undefined
}

/** The same of a lock that several may have, and nobody beside an exclusive one. */
export function tryShare(fd: number): boolean {
  return unlessBlocked(() => call('flock', [fd, LOCK_SH | LOCK_NB], () => `flock(${fd})`)) !== undefined
}

const TCGETS = 0x5401

export function isTerminal(fd: number): boolean {
  return attempt('ioctl', fd, TCGETS, new Uint8Array(60)) === 0
}

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000

/** eventfd(2): a counter that the kernel adds to, and poll(2) waits for. */
export function eventfd(): Fd {
  return call('eventfd2', [0, EFD_CLOEXEC | EFD_NONBLOCK], () => 'eventfd(0)') as Fd
}

export const POLLIN = 1
export const POLLPRI = 2
export const POLLOUT = 4

/** A fd that is waited for until it has input, or what `events` says; -1 is waited for in vain. */
export type Polled = number | { readonly fd: number; readonly events: number }

/**
 * ppoll(2). Returns the revents of each fd; all 0 after `timeoutMs` (-1 waits for ever). Throws Interrupted, once, when the
 * caller of an embedded runtime has given up: what undoes the call may wait again.
 */
export function poll(polled: readonly Polled[], timeoutMs: number): number[] {
  const { thread } = engine
  const interrupt = thread?.interrupt
  const all = interrupt === undefined ? polled : [...polled, interrupt]
  const entries = pollEntries(all)
  const timeout = timeoutMs < 0 ? null : timespec(timeoutMs)
  call('ppoll', [entries, all.length, timeout, null, 0], () => 'ppoll()')
  if (thread && interrupt !== undefined && entries.u16(8 * polled.length + 6) !== 0) {
    thread.interrupt = undefined
    throw new Interrupted()
  }
  return polled.map((_, i) => entries.u16(8 * i + 6))
}

/** The same, while signals are held on any engine. */
export async function pollAsync(polled: readonly Polled[], timeoutMs = -1): Promise<number[]> {
  if (!engine.waitFor) return poll(polled, timeoutMs)
  const entries = pollEntries(polled)
  checked(await engine.waitFor(entries, polled.length, timeoutMs), () => 'poll()')
  return polled.map((_, i) => entries.u16(8 * i + 6))
}

/** struct pollfd[]. */
function pollEntries(polled: readonly Polled[]): Struct {
  const entries = new Struct(8 * polled.length)
  for (const [i, each] of polled.entries()) {
    const { fd, events } = typeof each === 'number' ? { fd: each, events: POLLIN } : each
    entries.set32(8 * i, fd).set16(8 * i + 4, events)
  }
  return entries
}

/** struct timespec. The kernel counts down in it, so that a repeated call waits for the rest. */
export function timespec(ms: number): Struct {
  return new Struct(16).set64(0, Math.floor(ms / 1000)).set64(8, Math.floor((ms % 1000) * 1e6))
}

/** Blocks: for what no file announces. */
export function sleep(ms: number): void {
  poll([], ms)
}
