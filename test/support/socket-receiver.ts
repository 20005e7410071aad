import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Containers } from './containers.ts'
import { program } from './programs.ts'
import { waitFor } from './wait-for.ts'

/** The caller's end of a socket for a descriptor, which listens until the test ends; see console-receiver.c and pidfd-receiver.c. */
export class SocketReceiver {
  readonly path: string
  readonly #child: ChildProcess
  #text = ''

  constructor(t: Containers, name: 'console-receiver' | 'pidfd-receiver') {
    this.path = join(t.hostDirectory('socket-'), 'socket')
    this.#child = spawn(program(name), [this.path], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#text += data.toString()
    })
    t.defer(() => void this.#child.kill('SIGKILL'))
  }

  /** Resolves when callers may connect. */
  async listening(): Promise<this> {
    await waitFor(() => this.#text.startsWith('listening\n'))
    return this
  }

  /** What it says about the message, once that has come. */
  async received<T>(): Promise<T> {
    return JSON.parse(await waitFor(() => /^\{.*\}$/m.exec(this.#text)?.[0])) as T
  }

  /** What it has printed since, of a terminal what that has shown. */
  output(): string {
    return this.#text.slice(this.#text.indexOf('}\n') + 2)
  }

  /** Types into a terminal. */
  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** True when it has ended, which it does at the hang-up of a terminal. */
  hungUp(): boolean {
    return this.#child.exitCode !== null
  }
}
