import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { thaw } from '@crio-lxc/core/cgroup/freezer'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { signalCgroup } from '@crio-lxc/core/cgroup/signal-cgroup'
import { progressOf } from '@crio-lxc/core/container/status'
import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { stepLog } from '@crio-lxc/core/log/step-log'
import { signalProcess } from '@crio-lxc/core/process/pidfd'
import { loadContainer } from './load-container.ts'
import type { Settings } from './settings.ts'

/** Signals whose default action neither ends nor stops a process: CHLD, CONT, URG, WINCH; signal(7). */
const harmless = new Set([0, 17, 18, 23, 28])
const stopping = new Set([19, 20, 21, 22])
export interface KillOptions {
  /** Every process of the container's cgroup, not only init. */
  readonly all: boolean
}

/** kill: runtime.md, "Kill". Throws ErrNotRunning when there is no process to signal. */
export function kill(settings: Settings, id: string, signal: number, { all }: KillOptions): void {
  const done = stepLog('kill')
  const { facts, init, status } = loadContainer(settings, id)
  if (all) {
    // A stopped container may have left processes in a pid namespace that is not its own; none left is no error.
    const count = signalCgroup(cgroupLayout(), facts.cgroupDir, signal, { timeoutMs: settings.timeouts.killMs })
    done(`sent signal ${signal} to every process of the cgroup ${facts.cgroupDir}: ${count}`, { signal, count })
    return
  }
  if (status === 'creating') throw new RuntimeError('wrong-state', `signal ${id}: it is still being created: try again`)
  if (!init || status === 'stopped') throw new ErrNotRunning(id)
  // A parked init is pid 1 without handlers, to which the kernel delivers nothing but SIGKILL: what would end the
  // process must end it.
  const fatal = progressOf(facts, init) === 'created' && !harmless.has(signal) && !stopping.has(signal)
  const sent = fatal ? SIGKILL : signal
  if (!signalProcess(init.init, sent)) throw new ErrNotRunning(id)
  // What is frozen on v1 does not even die.
  if (sent === SIGKILL && status === 'paused') thaw(cgroupLayout(), facts.cgroupDir)
  const instead = sent === signal ? '' : ` in place of ${signal}, which a container that is not started cannot take`
  done(`sent signal ${sent} to init, pid ${init.init.pid}${instead}`, { pid: init.init.pid, signal: sent })
}
