/** A table on a terminal that is looked at again and again, until its reader has seen enough. */
import { decode, type Struct } from '@crio-lxc/core/abi/bytes'
import { pollAsync, read } from '@crio-lxc/core/sys/fd'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import { type HeldSignals, holdSignals } from '@crio-lxc/core/sys/signals'
import { makeUnbuffered, readModes, readSize, restoreModes } from '@crio-lxc/core/sys/terminal'

const [STDIN, STDOUT] = [0, 1]
/** Home, and clear what is below: the screen does not flicker as it would when cleared first. */
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const CLEAR = '\x1b[2J'

/** SIGHUP, SIGINT, SIGQUIT and SIGTERM end a program at a terminal, which must get its modes back first. */
const ENDING = [1, 2, 3, 15]

export interface ScreenOptions {
  readonly intervalMs: number
  readonly write: (text: string) => void
}

/** Returns 0 after q, and 128 + n after signal n, with the terminal as it was. */
export async function showScreen(look: () => string, { intervalMs, write }: ScreenOptions): Promise<number> {
  const modes = modesOf(STDIN)
  const signals = holdSignals(ENDING)
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
  { input, signals }: { input: number; signals: HeldSignals },
): Promise<number | undefined> {
  const end = monotonicMs() + intervalMs
  for (let left = intervalMs; left > 0; left = end - monotonicMs()) {
    const [typed = 0, signalled = 0] = await pollAsync([input, signals.fd], left)
    const [signal] = signalled ? signals.take() : []
    if (signal !== undefined) return 128 + signal
    if (typed === 0) continue
    const bytes = new Uint8Array(64)
    const length = read(STDIN, bytes)
    // End of input: nobody is there any more.
    if (length === 0 || /q/i.test(decode(bytes.subarray(0, length)))) return 0
  }
  return undefined
}

/** undefined when the fd is no terminal: nothing is read from it then. */
function modesOf(fd: number): Struct | undefined {
  try {
    return readModes(fd)
  } catch {
    return undefined
  }
}
