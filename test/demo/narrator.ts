import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Options of {@link Narrator.tell}. */
export interface TellOptions {
  /** The exit status that the story expects; 0 unless given. */
  readonly status?: number
  /** What the command causes and the sentence relies on. It is waited for, and its time does not count. */
  readonly until?: () => Promise<void>
}

/** Runs shell commands in one directory and environment, and shows them as a terminal session with one sentence each. */
export class Narrator {
  readonly #directory: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #paint: (code: number, text: string) => string
  #running: ChildProcess | undefined
  #interrupted = false

  constructor(directory: string, environment: NodeJS.ProcessEnv, colour: boolean) {
    this.#directory = directory
    this.#environment = environment
    this.#paint = colour ? (code, text) => `\x1b[${code}m${text}\x1b[0m` : (_, text) => text
  }

  heading(text: string): void {
    print(`\n${this.#paint(1, text)}`)
  }

  say(text: string): void {
    print(`  ${text}`)
  }

  failure(message: string): void {
    print(`  ${this.#paint(31, '✗')} ${message}`)
  }

  /** Shows `command`, runs it as a shell does, shows its output, then what it did and how long it took; milliseconds. */
  async tell(command: string, sentence: string, { status = 0, until }: TellOptions = {}): Promise<number> {
    print(`\n  ${this.#paint(36, '$')} ${this.#paint(1, command.replaceAll('\n', '\n    '))}`)
    const { ms, ended, output } = await this.#run(command)
    for (const line of output.split('\n').filter(Boolean)) print(`    ${line}`)
    if (this.#interrupted) throw new Error('interrupted')
    if (ended !== status) throw new Error(`the command ended with ${ended}`)
    await until?.()
    print(`  ${this.#paint(32, '✓')} ${sentence} ${this.#paint(2, formatTime(ms))}`)
    return ms
  }

  /** Ends the command that runs; the story goes no further, and its teller cleans up. */
  interrupt(): void {
    this.#interrupted = true
    this.#running?.kill('SIGTERM')
  }

  /** The output goes to a file, not a pipe: a pipe would only end when a container that inherited it does. */
  async #run(command: string): Promise<{ ms: number; ended: number | NodeJS.Signals | null; output: string }> {
    if (this.#interrupted) throw new Error('interrupted')
    const transcript = join(this.#directory, '.transcript')
    const fd = openSync(transcript, 'w')
    try {
      const started = performance.now()
      const child = spawn('sh', ['-c', command], {
        cwd: this.#directory,
        env: this.#environment,
        stdio: ['ignore', fd, fd],
      })
      this.#running = child
      const ended = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
        child.once('error', reject)
        child.once('exit', (code, signal) => resolve(code ?? signal))
      })
      return { ms: performance.now() - started, ended, output: readFileSync(transcript, 'utf8') }
    } finally {
      this.#running = undefined
      closeSync(fd)
    }
  }
}

/** "23 ms", or "1.4 s" from a second on. */
export function formatTime(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
