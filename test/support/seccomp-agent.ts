/** A seccomp agent that answers every notification with one errno: what the programs/seccomp-agent.c prints. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Containers } from './containers.ts'
import { program } from './programs.ts'
import { waitFor } from './wait-for.ts'

/** ENOMEDIUM, which mkdir never fails with by itself. */
export const ERRNO = 123
export const NO_MEDIUM = /No medium found/

/** What the runtime sends; config-linux.md, "The Container Process State". */
export interface ProcessState {
  ociVersion: string
  fds: string[]
  pid: number
  metadata?: string
  state: { id: string; status: string; pid: number; bundle: string; annotations?: Record<string, string> }
}

/** What it got, and which system calls it was asked about. */
export class Agent {
  /** The socket, for listenerPath. */
  readonly path: string
  readonly #child: ChildProcess
  #text = ''

  /** `--signal`: it interrupts each call, if that is possible, before it answers. */
  constructor(t: Containers, ...options: '--signal'[]) {
    this.path = join(t.hostDirectory(), 'agent.sock')
    const args = [this.path, String(ERRNO), ...options]
    this.#child = spawn(program('seccomp-agent'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#text += data.toString()
    })
    t.defer(() => this.stop())
  }

  /** Resolves when nobody listens any more, and what waits for an answer has failed. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  /** Resolves when the runtime may connect. */
  async listening(): Promise<this> {
    await waitFor(() => this.#text.startsWith('listening\n'))
    return this
  }

  /** One for each connection, with the number of fds that came with it. */
  states(): { fds: number; sent: ProcessState }[] {
    return [...this.#text.matchAll(/^state (\d+) (.*)$/gm)].map(([, fds, json]) => ({
      fds: Number(fds),
      sent: JSON.parse(json ?? '') as ProcessState,
    }))
  }

  /** How many connections were closed by the runtime. */
  closed(): number {
    return this.#text.split('closed\n').length - 1
  }

  /** Pids, as the agent sees them, of the processes it was asked about. */
  notified(): number[] {
    return [...this.#text.matchAll(/^notified \d+ (\d+)$/gm)].map(([, pid]) => Number(pid))
  }

  /** What became of the calls that it interrupted. */
  interrupted(): ('waiting' | 'gone')[] {
    return [...this.#text.matchAll(/^(waiting|gone)$/gm)].map(([, word]) => word as 'waiting' | 'gone')
  }
}
