/** Signals of this process that it takes as data: signalfd(2). A child begins with all of them at their defaults. */

import { Struct } from '../abi/bytes.ts'
import { O_CLOEXEC, O_NONBLOCK } from '../abi/constants.ts'
import { engine, type HeldSignals } from './engine.ts'
import { close, type Fd, read, unlessBlocked } from './fd.ts'
import { call } from './syscall.ts'

export type { HeldSignals } from './engine.ts'

const SIG_BLOCK = 0
const SIG_SETMASK = 2
const SIGINFO_BYTES = 128

const inUse = new Set<number>()

/** Whether a descriptor is one of these, and so none of the caller's. */
export function isSignalFd(fd: number): boolean {
  return inUse.has(fd)
}

/** From now on `signals` interrupt nothing and end nobody. */
export function holdSignals(signals: readonly number[]): HeldSignals {
  return engine.holdSignals?.(signals) ?? new SignalFd(signals)
}

class SignalFd implements HeldSignals {
  readonly fd: Fd
  readonly #previous = new Struct(8)

  constructor(signals: readonly number[]) {
    const mask = signals.reduce((bits, signal) => bits | (1n << BigInt(signal - 1)), 0n)
    const set = new Struct(8).set64(0, mask)
    call('rt_sigprocmask', [SIG_BLOCK, set, this.#previous, 8], () => 'rt_sigprocmask()')
    this.fd = call('signalfd4', [-1, set, 8, O_CLOEXEC | O_NONBLOCK], () => 'signalfd()') as Fd
    inUse.add(this.fd)
  }

  take(): number[] {
    const info = new Struct(SIGINFO_BYTES)
    const taken: number[] = []
    while (unlessBlocked(() => read(this.fd, info)) === SIGINFO_BYTES) taken.push(info.u32(0))
    return taken
  }

  close(): void {
    inUse.delete(this.fd)
    close(this.fd)
    call('rt_sigprocmask', [SIG_SETMASK, this.#previous, null, 8], () => 'rt_sigprocmask()')
  }
}
