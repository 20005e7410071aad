/** Standard output of a process in the foreground that has a terminal of its own: written without waiting for its reader. */
import { O_NOCTTY, O_NONBLOCK, O_WRONLY } from '@crio-lxc/core/abi/constants'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { close, type Fd, POLLOUT, type Polled, write } from '@crio-lxc/core/sys/fd'
import { fstat, openFile } from '@crio-lxc/core/sys/files'
import { readModes } from '@crio-lxc/core/sys/terminal'

const STDOUT = 1
/** PIPE_BUF: what poll(2) promises of a descriptor that blocks. */
const PROMISED = 4096
const NOTHING = new Uint8Array()

export class TerminalOutput {
  /** A description of our own that does not block: to change the caller's would change it for the caller's shell. */
  readonly #own = openAgain()
  #rest: Uint8Array = NOTHING

  /** Whether the reader has not taken all that was given: nothing more is to be given then. */
  get full(): boolean {
    return this.#rest.length > 0
  }

  /** To be polled while it is full; then `flush` is due. */
  get polled(): Polled {
    return this.full ? { fd: this.#own ?? STDOUT, events: POLLOUT } : -1
  }

  give(bytes: Uint8Array): void {
    this.#rest = bytes.slice()
    // A descriptor that may block is polled first.
    if (this.#own !== undefined) this.flush()
  }

  flush(): void {
    const most = this.#own === undefined ? PROMISED : this.#rest.length
    try {
      this.#rest = this.#rest.subarray(write(this.#own ?? STDOUT, this.#rest.subarray(0, most)))
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return
      // A reader that is gone does not end the process, which may not mind.
      if (!['EPIPE', 'EIO', 'EBADF'].includes(codeOf(error) ?? '')) throw error
      this.#rest = NOTHING
    }
  }

  close(): void {
    if (this.#own !== undefined) close(this.#own)
  }
}

/** Whether bytes that are written to standard output come to a terminal, which begins lines anew as it is told. */
export function printsToTerminal(): boolean {
  try {
    readModes(STDOUT)
    return true
  } catch {
    return false
  }
}

/** Of a terminal or a pipe. A file never blocks and has a position, and a socket cannot be opened. */
function openAgain(): Fd | undefined {
  try {
    if (!fstat(STDOUT).isFIFO() && !printsToTerminal()) return undefined
    return openFile(`/proc/self/fd/${STDOUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    return undefined
  }
}
