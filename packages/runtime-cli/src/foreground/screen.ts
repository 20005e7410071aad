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

/** SIGWINCH and SIGCONT: another size, and a screen that a shell has written to meanwhile. */
const [RESIZED, RESUMED] = [28, 18]

/** SIGHUP, SIGINT, SIGQUIT and SIGTERM end a program at a terminal, which must get its modes back first. */
const ENDING = [1, 2, 3, 15]

export interface Size {
  readonly height: number
  readonly width: number
}

/** A terminal without a size says 0. */
const USUAL: Size = { height: 24, width: 80 }

export interface Screen {
  /** Looks anew, at each interval. */
  readonly look: () => void
  /** What the last look has found, for a screen of this size. */
  readonly show: (size: Size) => string
  /** Takes what was typed; true when it is to be shown in another way at once. */
  readonly typed: (text: string) => boolean
}

export interface ScreenOptions {
  readonly intervalMs: number
  readonly write: (text: string) => void
}

/** Returns 0 after q, and 128 + n after signal n, with the terminal as it was. */
export async function showScreen(screen: Screen, { intervalMs, write }: ScreenOptions): Promise<number> {
  const modes = modesOf(STDIN)
  const signals = holdSignals([...ENDING, RESIZED, RESUMED])
  try {
    if (modes) makeUnbuffered(STDIN, modes)
    write(CLEAR)
    for (;;) {
      screen.look()
      const until = monotonicMs() + intervalMs
      let happened: Happened
      do {
        const size = sizeOf(STDOUT)
        write(HOME + fit(screen.show(size), size) + CLEAR_BELOW)
        happened = await waitForChange(until, { input: modes ? STDIN : -1, signals, typed: screen.typed })
        if (typeof happened === 'number') return happened
        if (happened === 'disturbed') {
          // A shell that takes over a stopped job has its own modes.
          if (modes) makeUnbuffered(STDIN, modes)
          write(CLEAR)
        }
      } while (happened !== 'nothing')
    }
  } finally {
    if (modes) restoreModes(STDIN, modes)
    signals.close()
  }
}

function sizeOf(fd: number): Size {
  const size = readSize(fd)
  return size?.height && size.width ? size : USUAL
}

/**
 * The lines as far as the screen has room: the first one, the header, stays, and a last one counts those that are left out. The
 * last place of the screen stays empty, or it would scroll. PURE.
 */
export function fit(text: string, { height, width }: Size): string {
  const lines = text.trimEnd().split('\n')
  const room = Math.max(1, height - 1)
  const shown = lines.length <= room ? lines : lines.slice(0, Math.max(1, room - 1))
  const rest = lines.length - shown.length
  if (rest > 0 && room > 1) shown.push(`... and ${rest} more`)
  return shown.map((line) => `${[...line].slice(0, width - 1).join('')}${CLEAR_LINE}\n`).join('')
}

interface Waited {
  readonly input: number
  readonly signals: HeldSignals
  readonly typed: Screen['typed']
}

/**
 * The exit code when somebody wants it to end; whether something is to be shown in another way before `until`, and whether the
 * terminal is another or not as it was left.
 */
type Happened = number | 'changed' | 'disturbed' | 'nothing'

async function waitForChange(until: number, { input, signals, typed }: Waited): Promise<Happened> {
  for (let left = until - monotonicMs(); left > 0; left = until - monotonicMs()) {
    const [readable = 0, signalled = 0] = await pollAsync([input, signals.fd], left)
    const taken = signalled ? signals.take() : []
    const ending = taken.find((signal) => ENDING.includes(signal))
    if (ending !== undefined) return 128 + ending
    if (taken.length > 0) return 'disturbed'
    if (readable === 0) continue
    const bytes = new Uint8Array(64)
    const length = read(STDIN, bytes)
    const text = decode(bytes.subarray(0, length))
    // End of input: nobody is there any more.
    if (length === 0 || /q/i.test(text)) return 0
    if (typed(text)) return 'changed'
  }
  return 'nothing'
}

/** undefined when the fd is no terminal: nothing is read from it then. */
function modesOf(fd: number): Struct | undefined {
  try {
    return readModes(fd)
  } catch {
    return undefined
  }
}
