/** Waiting for a child in the foreground: its signals, its terminal, its exit code. */
import { stepLog } from '@crio-lxc/core/log/step-log'
import { parseSignal } from '@crio-lxc/core/process/signals'
import { close, pollAsync } from '@crio-lxc/core/sys/libc'
import { pidfdOpen, pidfdSendSignal } from '@crio-lxc/core/sys/libc-process'
import { exitCode, wait } from '@crio-lxc/core/sys/spawn'
import type { TerminalProxy } from './terminal-proxy.ts'

/** What a person or a supervisor sends to a program in the foreground. */
const forwarded = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGTSTP'] as const

/** Returns the exit code of the child `pid`, 128 + n when signal n killed it. */
export async function supervise(pid: number, terminal?: TerminalProxy): Promise<number> {
  const done = stepLog('supervise')
  const pidfd = pidfdOpen(pid)
  const handlers = forwarded.map((name) => {
    const handler = (): void => pidfdSendSignal(pidfd, parseSignal(name))
    process.on(name, handler)
    return { name, handler }
  })
  try {
    if (terminal) await terminal.run(pidfd)
    else await pollAsync([pidfd])
    const code = exitCode(wait(pid))
    done(`pid ${pid} ended with exit code ${code}`, { pid, code })
    return code
  } finally {
    for (const { name, handler } of handlers) process.off(name, handler)
    close(pidfd)
    terminal?.close()
  }
}
