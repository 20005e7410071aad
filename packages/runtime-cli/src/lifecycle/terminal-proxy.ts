/**
 * A process with a terminal of its own, run from another terminal or from pipes: bytes, sizes and modes are passed
 * between the two, because a shared terminal would let the container type into the caller's shell (TIOCSTI).
 */
import { closeSync, readSync, writeSync } from 'node:fs'
import { POLLIN, POLLOUT, pollAsync, socketpair } from '@crio-lxc/core/sys/libc'
import { copySize, makeRaw, readModes, restoreModes, setNonBlocking } from '@crio-lxc/core/sys/terminal'
import { receiveFd } from '@crio-lxc/core/sys/unix-message'
import { writeAll } from '@crio-lxc/core/sys/write-all'
import type { SignalRelay } from './signal-relay.ts'

const STDIN = 0
const STDOUT = 1
const EOT = Buffer.from([4])
const NOTHING = Buffer.alloc(0)

export class TerminalProxy {
  /** The end that the process sends its master to. */
  readonly socket: number
  readonly #receiver: number
  #master: number | undefined
  #modes: Buffer | undefined
  readonly #resize = (): void => this.#copySize()

  constructor() {
    const [receiver, socket] = socketpair()
    this.#receiver = receiver
    this.socket = socket
  }

  /** Takes the master; before the process is started, so that nothing it writes is lost. */
  connect(): void {
    closeSync(this.socket)
    this.#master = receiveFd(this.#receiver)
    closeSync(this.#receiver)
    if (this.#master !== undefined) setNonBlocking(this.#master)
    try {
      this.#modes = readModes(STDIN)
    } catch {
      // Not a terminal: bytes alone are passed.
    }
    if (!this.#modes) return
    this.#copySize()
    makeRaw(STDIN, this.#modes)
    process.on('SIGWINCH', this.#resize)
  }

  /** Passes bytes until the process behind `pidfd` has ended and all of its output is read. */
  async run(pidfd: number, relay: SignalRelay): Promise<void> {
    const master = this.#master
    if (master === undefined) {
      await relay.ended(pidfd)
      return
    }
    const buffer = Buffer.alloc(65536)
    /** What the terminal has not taken yet. It may be full, and a process that prints meanwhile must be read. */
    let typed = NOTHING
    let stdinOpen = true
    for (;;) {
      const waiting = typed.length > 0
      const [ended = 0, terminal = 0, input = 0, ...signals] = await pollAsync([
        pidfd,
        { fd: master, events: waiting ? POLLIN | POLLOUT : POLLIN },
        stdinOpen && !waiting ? STDIN : -1,
        ...relay.fds,
      ])
      if (signals.some(Boolean)) relay.relayRealtime()
      const output = terminal & ~POLLOUT
      if (output) {
        const length = transferred(0, () => readSync(master, buffer))
        if (length !== 0) {
          print(buffer.subarray(0, length ?? 0))
          continue
        }
      }
      if (ended) return
      if (output) {
        // Every holder of the terminal has closed it; the process may go on without one.
        await relay.ended(pidfd)
        return
      }
      if (terminal & POLLOUT) typed = typed.subarray(transferred(typed.length, () => writeSync(master, typed)) ?? 0)
      if (input) {
        const length = transferred(0, () => readSync(STDIN, buffer))
        if (length === undefined) continue
        stdinOpen = length > 0
        typed = length > 0 ? Buffer.from(buffer.subarray(0, length)) : EOT
      }
    }
  }

  close(): void {
    process.off('SIGWINCH', this.#resize)
    if (this.#modes) restoreModes(STDIN, this.#modes)
    if (this.#master !== undefined) closeSync(this.#master)
    this.#modes = undefined
    this.#master = undefined
  }

  #copySize(): void {
    if (this.#master !== undefined) copySize(STDIN, this.#master)
  }
}

/** How many bytes `transfer` passed, undefined when none can pass now; `gone` when the other side is gone (EIO). */
function transferred(gone: number, transfer: () => number): number | undefined {
  try {
    return transfer()
  } catch (error) {
    if (codeOf(error) === 'EIO') return gone
    if (codeOf(error) === 'EAGAIN') return undefined
    throw error
  }
}

/** A reader that is gone does not end the process, which may not mind. */
function print(output: Buffer): void {
  try {
    writeAll(STDOUT, output)
  } catch (error) {
    if (!['EPIPE', 'EIO', 'EBADF'].includes(codeOf(error) ?? '')) throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
