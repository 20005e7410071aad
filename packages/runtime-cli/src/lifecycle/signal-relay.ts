import { signalPidfd } from '@crio-lxc/core/process/pidfd'
import { parseSignal } from '@crio-lxc/core/process/signals'
import { poll, pollAsync } from '@crio-lxc/core/sys/libc'
import { RealtimeSignals } from '@crio-lxc/core/sys/realtime-signals'

/**
 * What a person or a supervisor sends to a program in the foreground, with every real-time signal. SIGTTIN and SIGTTOU
 * are about this process in the background of a terminal, SIGCHLD, SIGPIPE, SIGXCPU and SIGXFSZ about what it does itself.
 */
const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGURG',
  'SIGIO',
  'SIGCONT',
  'SIGTSTP',
  'SIGWINCH',
] as const

/** What a person sends who wants no more of it. */
const ending: ReadonlySet<number> = new Set(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'].map(parseSignal))

/**
 * From `hold` to `close` the signals of this process are the child's: those that come before there is one wait for it, and
 * when it has ended they are nobody's, so that nobody ends the runtime between the making of a container and its removal.
 */
export class SignalRelay {
  #pidfd: number | undefined
  #dropped = false
  #onRelayed: (signal: number) => void = () => {}
  readonly #waiting: number[] = []
  readonly #realtime = new RealtimeSignals()
  readonly #handlers = new Map<(typeof forwarded)[number], () => void>()

  /** To be waited for with the child: when one has input, `relayRealtime` is due. */
  get fds(): readonly number[] {
    return this.#realtime.fds
  }

  hold(): void {
    if (this.#handlers.size > 0) return
    for (const name of forwarded) {
      const handler = (): void => this.#relay(parseSignal(name))
      this.#handlers.set(name, handler)
      process.on(name, handler)
    }
    this.#realtime.hold()
  }

  to(pidfd: number): void {
    this.hold()
    this.#pidfd = pidfd
    for (const signal of this.#waiting.splice(0)) this.#relay(signal)
  }

  relayRealtime(): void {
    for (const signal of this.#realtime.take()) this.#relay(signal)
  }

  /** Waits for the end of the child. */
  async ended(pidfd: number): Promise<void> {
    for (;;) {
      const [hasEnded, ...signals] = await pollAsync([pidfd, ...this.fds])
      if (signals.some(Boolean)) this.relayRealtime()
      if (hasEnded) return
    }
  }

  /** Resolves with a signal that would end the child behind `pidfd` when it had not ended already: nobody gets it. */
  async unwanted(pidfd: number): Promise<undefined> {
    for (;;) {
      const signal = await new Promise<number>((resolve) => {
        this.#onRelayed = resolve
      })
      if (ending.has(signal) && poll([pidfd], 0)[0]) return undefined
    }
  }

  /** The child has ended; what is left to be done is done whatever comes. */
  drop(): void {
    this.#pidfd = undefined
    this.#dropped = true
  }

  /** The signals do to this process what they do by default. */
  close(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler)
    this.#realtime.close()
  }

  #relay(signal: number): void {
    if (this.#dropped) return
    // When it has just ended nobody gets it, and supervise is about to see that.
    if (this.#pidfd === undefined) this.#waiting.push(signal)
    else signalPidfd(this.#pidfd, signal)
    this.#onRelayed(signal)
  }
}
