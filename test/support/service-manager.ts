/** A service manager as sd_notify(3) sees it: what programs/notify.c prints about the datagrams that it gets. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { program } from './programs.ts'
import { waitFor } from './wait-for.ts'

export class ServiceManager {
  readonly #child: ChildProcess
  #text = ''

  /** `socket` is the value for NOTIFY_SOCKET: a path that nobody has yet, or "@" and a name. */
  private constructor(readonly socket: string) {
    this.#child = spawn(program('notify'), ['listen', socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#text += data.toString()
    })
  }

  /** To be stopped by the test. */
  static async listen(socket: string): Promise<ServiceManager> {
    const manager = new ServiceManager(socket)
    await waitFor(() => manager.#text.startsWith('listening\n'))
    return manager
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  /** The datagrams so far, but for the barriers. */
  datagrams(): string[] {
    return this.#text
      .split('\n')
      .filter((line) => /^\d+ /.test(line))
      .map((line) => line.replace(/^\d+ /, '').replaceAll('\\n', '\n').trimEnd())
      .filter((text) => text !== 'BARRIER=1')
  }

  /** The variables of all datagrams, as NAME=VALUE. */
  variables(): string[] {
    return this.datagrams().flatMap((text) => text.split('\n'))
  }
}
