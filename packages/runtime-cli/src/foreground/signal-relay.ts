import { signalPidfd } from '@crio-lxc/core/host/process/pidfd'
import { parseSignal } from '@crio-lxc/core/host/process/signals'
import { poll, pollAsync } from '@crio-lxc/core/sys/fd'
import { type HeldSignals, holdSignals } from '@crio-lxc/core/sys/signals'

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

const REALTIME = Array.from({ length: 64 - 34 + 1 }, (_, index) => 34 + index)

/**
 * From `hold` to `close` the signals of this process are the child's: those that come before there is one wait for it, and
 * when it has ended they are nobody's, so that nobody ends the runtime between the making of a container and its removal.
 */
export class SignalRelay {
  #pidfd: number | undefined
  #held: HeldSignals | undefined

  /** To be waited for with the child: when it has input, `relay` is due. */
  get fd(): number {
    return this.#held?.fd ?? -1
  }

  hold(): void {
    this.#held ??= holdSignals([...forwarded.map(parseSignal), ...REALTIME])
  }

  to(pidfd: number): void {
    this.hold()
    this.#pidfd = pidfd
    this.relay()
  }

  /** Sends on what has come, and says what that was; when the child has just ended nobody gets it. */
  relay(): readonly number[] {
    if (this.#pidfd === undefined) return []
    const signals = this.#held?.take() ?? []
    for (const signal of signals) signalPidfd(this.#pidfd, signal)
    return signals
  }

  /** Waits for the end of the child. */
  async ended(pidfd: number): Promise<void> {
    for (;;) {
      const [hasEnded, signalled] = await pollAsync([pidfd, this.fd])
      if (signalled) this.relay()
      if (hasEnded) return
    }
  }

  /** Whether one of `signals` would end the child behind `pidfd` if it had not ended already: nobody got it. */
  isUnwanted(signals: readonly number[], pidfd: number): boolean {
    return signals.some((signal) => ending.has(signal)) && poll([pidfd], 0)[0] !== 0
  }

  /** The child has ended; what is left to be done is done whatever comes. */
  drop(): void {
    this.#pidfd = undefined
    this.#held?.take()
  }

  /** The signals do to this process what they do by default. */
  close(): void {
    this.#held?.take()
    this.#held?.close()
    this.#held = undefined
  }
}
