/**
 * A process with a terminal of its own, run from another terminal or from pipes: bytes, sizes and modes are passed
 * between the two, because a shared terminal would let the container type into the caller's shell (TIOCSTI).
 */
import { closeSync, readSync } from 'node:fs'
import { pollAsync, socketpair } from '@crio-lxc/core/sys/libc'
import { copySize, makeRaw, readModes, restoreModes } from '@crio-lxc/core/sys/terminal'
import { receiveFd } from '@crio-lxc/core/sys/unix-message'
import { writeAll } from '@crio-lxc/core/sys/write-all'

const STDIN = 0
const STDOUT = 1
const EOT = Buffer.from([4])

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
  async run(pidfd: number): Promise<void> {
    const master = this.#master
    if (master === undefined) {
      await pollAsync([pidfd])
      return
    }
    const buffer = Buffer.alloc(65536)
    let stdinOpen = true
    for (;;) {
      const [ended = 0, output = 0, input = 0] = await pollAsync([pidfd, master, stdinOpen ? STDIN : -1])
      if (output) {
        const length = readTerminal(master, buffer)
        if (length > 0) {
          writeAll(STDOUT, buffer.subarray(0, length))
          continue
        }
      }
      if (ended) return
      if (output) {
        // Every holder of the terminal has closed it; the process may go on without one.
        await pollAsync([pidfd])
        return
      }
      if (input) {
        const length = readSync(STDIN, buffer)
        stdinOpen = length > 0
        writeAll(master, length > 0 ? buffer.subarray(0, length) : EOT)
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

/** 0 when no process has the terminal open any more: the kernel says EIO. */
function readTerminal(master: number, buffer: Buffer): number {
  try {
    return readSync(master, buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0
    throw error
  }
}
