/** Waiting for a child in the foreground: its signals, its terminal, its exit code. */
import { stepLog } from '@crio-lxc/core/log/step-log'
import { parseSignal } from '@crio-lxc/core/process/signals'
import { close, pollAsync } from '@crio-lxc/core/sys/libc'
import { pidfdOpen, pidfdSendSignal } from '@crio-lxc/core/sys/libc-process'
import { exitCode, wait } from '@crio-lxc/core/sys/spawn'
import type { TerminalProxy } from './terminal-proxy.ts'

/** What a person or a supervisor sends to a program in the foreground. */
const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGWINCH',
] as const

/**
 * The signals of this process are the child's, from now on: those that come before there is one wait for it, so that
 * nobody ends the runtime between the making of a container and its end.
 */
export class SignalRelay {
  #pidfd: number | undefined
  readonly #waiting: number[] = []
  readonly #handlers = forwarded.map((name) => {
    const handler = (): void => this.#relay(parseSignal(name))
    process.on(name, handler)
    return { name, handler }
  })

  to(pidfd: number): void {
    this.#pidfd = pidfd
    for (const signal of this.#waiting.splice(0)) this.#relay(signal)
  }

  /** The signals do to this process what they do by default. */
  close(): void {
    for (const { name, handler } of this.#handlers) process.off(name, handler)
  }

  #relay(signal: number): void {
    if (this.#pidfd === undefined) {
      this.#waiting.push(signal)
      return
    }
    try {
      pidfdSendSignal(this.#pidfd, signal)
    } catch {
      // It has just ended, which supervise is about to see.
    }
  }
}

/** Returns the exit code of the child `pid`, 128 + n when signal n killed it. */
export async function supervise(pid: number, relay: SignalRelay, terminal?: TerminalProxy): Promise<number> {
  const done = stepLog('supervise')
  const pidfd = pidfdOpen(pid)
  relay.to(pidfd)
  try {
    if (terminal) await terminal.run(pidfd)
    else await pollAsync([pidfd])
    const code = exitCode(wait(pid))
    done(`pid ${pid} ended with exit code ${code}`, { pid, code })
    return code
  } finally {
    relay.close()
    close(pidfd)
    terminal?.close()
  }
}
