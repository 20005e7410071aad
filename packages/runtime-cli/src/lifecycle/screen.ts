/** A table on a terminal that is looked at again and again, until its reader has seen enough. */
import { closeSync, readSync, writeSync } from 'node:fs'
import { pipe, pollAsync } from '@crio-lxc/core/sys/libc'
import { makeUnbuffered, readModes, readSize, restoreModes } from '@crio-lxc/core/sys/terminal'

const [STDIN, STDOUT] = [0, 1]
/** Home, and clear what is below: the screen does not flicker as it would when cleared first. */
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const CLEAR = '\x1b[2J'

const ending = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3],
  ['SIGTERM', 15],
] as const

export interface ScreenOptions {
  readonly intervalMs: number
  readonly write: (text: string) => void
}

/** Returns 0 after q, and 128 + n after signal n, with the terminal as it was. */
export async function showScreen(look: () => string, { intervalMs, write }: ScreenOptions): Promise<number> {
  const modes = modesOf(STDIN)
  const signals = new Signals()
  try {
    if (modes) makeUnbuffered(STDIN, modes)
    write(CLEAR)
    for (;;) {
      write(HOME + fit(look(), readSize(STDOUT)) + CLEAR_BELOW)
      const code = await waitForEnd(intervalMs, { input: modes ? STDIN : -1, signals })
      if (code !== undefined) return code
    }
  } finally {
    if (modes) restoreModes(STDIN, modes)
    signals.close()
  }
}

/**
 * The lines as far as the screen has room: the first one, the header, stays, and a last one counts those that are left out. The
 * last place of the screen stays empty, or it would scroll. PURE.
 */
export function fit(text: string, size: { readonly height: number; readonly width: number } | undefined): string {
  const lines = text.trimEnd().split('\n')
  // A terminal without a size says 0.
  const { height, width } = size?.height && size.width ? size : { height: 24, width: 80 }
  const room = Math.max(1, height - 1)
  const shown = lines.length <= room ? lines : lines.slice(0, Math.max(1, room - 1))
  const rest = lines.length - shown.length
  if (rest > 0 && room > 1) shown.push(`... and ${rest} more`)
  return shown.map((line) => `${[...line].slice(0, width - 1).join('')}${CLEAR_LINE}\n`).join('')
}

/** The exit code when somebody wants it to end within `intervalMs`. */
async function waitForEnd(
  intervalMs: number,
  { input, signals }: { input: number; signals: Signals },
): Promise<number | undefined> {
  const end = performance.now() + intervalMs
  for (let left = intervalMs; left > 0; left = end - performance.now()) {
    const [typed = 0] = await pollAsync([input, signals.fd], left)
    if (signals.code !== undefined) return signals.code
    if (typed === 0) continue
    const bytes = Buffer.alloc(64)
    const length = readSync(STDIN, bytes)
    // End of input: nobody is there any more.
    if (length === 0 || /q/i.test(bytes.toString('latin1', 0, length))) return 0
  }
  return undefined
}

/** The signals that end a program at a terminal, which must get its modes back first. */
class Signals {
  /** 128 + n once signal n has come. */
  code: number | undefined
  readonly #pipe = pipe()
  readonly #handlers = ending.map(([name, signal]) => {
    const handler = (): void => {
      this.code ??= 128 + signal
      writeSync(this.#pipe[1], 's')
    }
    process.on(name, handler)
    return () => process.off(name, handler)
  })

  /** Has input once a signal has come. */
  get fd(): number {
    return this.#pipe[0]
  }

  close(): void {
    for (const remove of this.#handlers) remove()
    for (const fd of this.#pipe) closeSync(fd)
  }
}

/** undefined when the fd is no terminal: nothing is read from it then. */
function modesOf(fd: number): Buffer | undefined {
  try {
    return readModes(fd)
  } catch {
    return undefined
  }
}
