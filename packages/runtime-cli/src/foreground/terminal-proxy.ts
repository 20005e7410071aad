/**
 * A process with a terminal of its own, run from another terminal or from pipes: bytes, sizes and modes are passed
 * between the two, because a shared terminal would let the container type into the caller's shell (TIOCSTI).
 */

import type { Struct } from '@crio-lxc/core/abi/bytes'
import { SIGWINCH } from '@crio-lxc/core/abi/constants'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { close, type Fd, POLLIN, POLLOUT, pollAsync, read, write } from '@crio-lxc/core/sys/fd'
import { type HeldSignals, holdSignals } from '@crio-lxc/core/sys/signals'
import { socketpair } from '@crio-lxc/core/sys/socket'
import { copySize, makeRaw, readModes, restoreModes, setNonBlocking, takesLines } from '@crio-lxc/core/sys/terminal'
import { receiveFd } from '@crio-lxc/core/sys/unix-message'
import type { SignalRelay } from './signal-relay.ts'
import { printsToTerminal, TerminalOutput } from './terminal-output.ts'

const STDIN = 0
const EOT = Uint8Array.of(4)
/** Milliseconds until the end of the input is told again, and the most. */
const [SOON, LATE] = [100, 60_000]
const NOTHING = new Uint8Array()

export class TerminalProxy {
  /** The end that the process sends its master to. */
  readonly socket: Fd
  /**
   * Lines end with a line feed alone, as runc has it: a file is to get the bytes that the process writes. What a terminal
   * shows needs a carriage return, too.
   */
  readonly plainLines = !printsToTerminal()
  readonly #receiver: Fd
  readonly #output = new TerminalOutput()
  #master: Fd | undefined
  #modes: Struct | undefined
  #resizes: HeldSignals | undefined

  constructor() {
    const [receiver, socket] = socketpair()
    this.#receiver = receiver
    this.socket = socket
  }

  /**
   * Takes the master; before the process is started, so that nothing it writes is lost. Throws RuntimeError when it has
   * not come after `timeoutMs` (-1 waits for ever): the process may have been stopped.
   */
  connect(timeoutMs: number): void {
    close(this.socket)
    this.#master = receiveFd(this.#receiver, { timeoutMs, what: 'wait for the terminal of the process' })
    close(this.#receiver)
    if (this.#master !== undefined) setNonBlocking(this.#master)
    try {
      this.#modes = readModes(STDIN)
    } catch {
      // Not a terminal: bytes alone are passed.
    }
    if (!this.#modes) return
    this.#copySize()
    makeRaw(STDIN, this.#modes)
    this.#resizes = holdSignals([SIGWINCH])
  }

  /**
   * Passes bytes until the process behind `pidfd` has ended and all of its output is read, or nobody reads it and a signal
   * comes that would end the process.
   */
  async run(pidfd: number, relay: SignalRelay): Promise<void> {
    const master = this.#master
    if (master === undefined) {
      await relay.ended(pidfd)
      return
    }
    const output = this.#output
    const buffer = new Uint8Array(65536)
    /** What the terminal has not taken yet. It may be full, and a process that prints meanwhile must be read. */
    let typed: Uint8Array = NOTHING
    let stdinOpen = true
    let againMs = SOON
    for (;;) {
      const waiting = typed.length > 0
      // While the reader takes nothing, neither output nor the end of the process can be dealt with.
      const { full } = output
      const reading = full ? 0 : POLLIN
      // A file or pipe is at its end for all who read it. A terminal tells it to one, or only ends a line that is not finished.
      const tellsAgain = !stdinOpen && !waiting && this.#modes === undefined
      const polled = await pollAsync(
        [
          full ? -1 : pidfd,
          full && !waiting ? -1 : { fd: master, events: waiting ? reading | POLLOUT : reading },
          stdinOpen && !waiting ? STDIN : -1,
          output.polled,
          relay.fd,
          this.#resizes?.fd ?? -1,
        ],
        tellsAgain ? againMs : -1,
      )
      if (tellsAgain && polled.every((events) => events === 0)) {
        // A program that reads bytes would get one that nobody has typed.
        if (takesLines(master)) typed = EOT
        againMs = Math.min(2 * againMs, LATE)
        continue
      }
      const [ended = 0, terminal = 0, input = 0, room = 0, signalled = 0, resized = 0] = polled
      if (resized) {
        this.#resizes?.take()
        this.#copySize()
      }
      const signals = signalled ? relay.relay() : []
      if (full && relay.isUnwanted(signals, pidfd)) return
      if (room) output.flush()
      const readable = full ? 0 : terminal & ~POLLOUT
      if (readable) {
        const length = transferred(0, () => read(master, buffer))
        if (length !== 0) {
          if (length !== undefined) output.give(buffer.subarray(0, length))
          continue
        }
      }
      if (ended) return
      if (readable) {
        // Every holder of the terminal has closed it; the process may go on without one.
        await relay.ended(pidfd)
        return
      }
      if (terminal & POLLOUT) typed = typed.subarray(transferred(typed.length, () => write(master, typed)) ?? 0)
      if (input) {
        const length = transferred(0, () => read(STDIN, buffer))
        if (length === undefined) continue
        stdinOpen = length > 0
        typed = length > 0 ? buffer.slice(0, length) : EOT
      }
    }
  }

  close(): void {
    this.#resizes?.close()
    if (this.#modes) restoreModes(STDIN, this.#modes)
    if (this.#master !== undefined) close(this.#master)
    this.#output.close()
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
