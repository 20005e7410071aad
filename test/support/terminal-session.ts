import { execa } from 'execa'
import { program } from './programs.ts'
import { waitFor } from './wait-for.ts'

export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/** A command that runs on a pseudo terminal of its own, and the person who sits at it. */
export interface TerminalSession {
  /** What the screen has shown so far, with CR LF at line ends. */
  readonly screen: () => string
  readonly type: (text: string) => void
  /** Waits until the screen shows this; gives what it shows then. */
  readonly shows: (text: string | RegExp) => Promise<string>
  /** Makes the terminal twice as high and wide. */
  readonly grow: () => void
  /** Hangs up, as when the window is closed. */
  readonly hangUp: () => void
  /** Exit code of the command, 128 + n when signal n ended it. */
  readonly exitCode: Promise<number | undefined>
}

/** Starts `command` with the terminal as stdin, stdout, stderr and controlling terminal; ended after 50 s. */
export function onTerminal(
  command: readonly string[],
  { env, size = { rows: 24, columns: 80 } }: { env: Readonly<Record<string, string>>; size?: TerminalSize },
): TerminalSession {
  const { rows, columns } = size
  const child = execa(program('on-pty'), [String(rows), String(columns), ...command], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'pipe',
    timeout: 50_000,
    killSignal: 'SIGKILL',
  })
  let screen = ''
  child.stdout.on('data', (data: Buffer) => {
    screen += data.toString()
  })
  return {
    screen: () => screen,
    type: (text) => void child.stdin.write(text),
    shows: (text) =>
      waitFor(() => (typeof text === 'string' ? screen.includes(text) : text.test(screen)) && screen, {
        what: `the screen to show ${text}`,
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it shows ${JSON.stringify(screen)}`)
      }),
    grow: () => void child.kill('SIGUSR1'),
    hangUp: () => void child.kill('SIGUSR2'),
    exitCode: child.then(({ exitCode }) => exitCode),
  }
}
