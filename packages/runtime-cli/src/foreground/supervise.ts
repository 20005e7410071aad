/** Waiting for a child in the foreground: its signals, its terminal, its exit code. */

import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { close } from '@crio-lxc/core/sys/fd'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { exitCode, wait } from '@crio-lxc/core/sys/spawn'
import type { SignalRelay } from './signal-relay.ts'
import type { TerminalProxy } from './terminal-proxy.ts'

/** Returns the exit code of the child `pid`, 128 + n when signal n killed it. */
export async function supervise(pid: number, relay: SignalRelay, terminal?: TerminalProxy): Promise<number> {
  const done = phaseLog('supervise')
  const pidfd = pidfdOpen(pid)
  relay.to(pidfd)
  try {
    if (terminal) await terminal.run(pidfd, relay)
    else await relay.ended(pidfd)
    const code = exitCode(wait(pid))
    done('supervise', `pid ${pid} ended with exit code ${code}`, { pid, code })
    return code
  } finally {
    relay.drop()
    close(pidfd)
    terminal?.close()
  }
}
