/**
 * The real-time signals of this process, as descriptors. Neither engine hands them to JavaScript, they cannot be blocked
 * for signalfd(2) in the threads that an engine has started, and a handler must be async-signal-safe (signal-safety(7)).
 * One that is stands in libc, and takes what the kernel gives it: `eventfd_write(fd, value)`, called as (signal, siginfo),
 * adds to the descriptor with the number of the signal, where an eventfd has been put. Several of one signal at once may
 * be taken for one.
 */
import { closeSync, readSync } from 'node:fs'
import { eventfd } from './eventfd.ts'
import { call, dupAbove } from './libc.ts'

const FIRST = 34
const LAST = 64

/** struct sigaction of glibc on 64-bit machines: the handler, 128 bytes of mask, the flags. */
const ACTION_BYTES = 152
const FLAGS_OFFSET = 136
const SA_SIGINFO = 4
const SA_RESTART = 0x10000000

const inUse = new Set<number>()

/** Whether a descriptor is one of these. */
export function isSignalFd(fd: number): boolean {
  return inUse.has(fd)
}

export class RealtimeSignals {
  /** To be waited for; each has the number of its signal. Less than all where a number is in use, none where fds are scarce. */
  readonly fds: readonly number[]

  constructor() {
    const signals = Array.from({ length: LAST - FIRST + 1 }, (_, index) => FIRST + index)
    this.fds = putEventfds(signals)
  }

  /** From now on the signals are counted, and do not end this process. */
  hold(): void {
    const handler = call('intptr_t dlsym(intptr_t handle, const char *name)', [0, 'eventfd_write'], () => 'dlsym()')
    for (const signal of this.fds) setAction(signal, handler)
  }

  /** The signals that have come since the last call. */
  take(): number[] {
    return this.fds.filter(hasCounted)
  }

  /** The signals end this process again. */
  close(): void {
    for (const signal of this.fds) {
      setAction(signal, 0)
      inUse.delete(signal)
      closeSync(signal)
    }
  }
}

/** The numbers at which there is an eventfd now: not those of other descriptors, such as the caller has handed on. */
function putEventfds(numbers: readonly number[]): number[] {
  const put: number[] = []
  let made: number | undefined
  try {
    made = eventfd()
    // Under a small RLIMIT_NOFILE the runtime needs what there is for the container.
    closeSync(dupAbove(made, 4 * LAST))
    for (const number of numbers) if (putEventfd(number)) put.push(number)
  } catch {
    // None of the rest then: nothing depends on these signals but who sends them.
  } finally {
    if (made !== undefined) closeSync(made)
  }
  return put
}

function putEventfd(number: number): boolean {
  const made = eventfd()
  try {
    const fd = dupAbove(made, number)
    if (fd === number) inUse.add(fd)
    else closeSync(fd)
    return fd === number
  } finally {
    closeSync(made)
  }
}

function hasCounted(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(8)) === 8
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
    throw error
  }
}

/** sigaction(2); 0 is SIG_DFL. */
function setAction(signal: number, handler: number): void {
  const action = Buffer.alloc(ACTION_BYTES)
  action.writeBigUInt64LE(BigInt(handler), 0)
  if (handler !== 0) action.writeInt32LE(SA_SIGINFO | SA_RESTART, FLAGS_OFFSET)
  call('int sigaction(int signal, void *action, void *old)', [signal, action, null], () => `sigaction(${signal})`)
}
