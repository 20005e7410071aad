import {
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
} from '@crio-lxc/core/abi/constants'
import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { mayHoldDying, thaw } from '@crio-lxc/core/host/cgroup/freezer'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { signalCgroup } from '@crio-lxc/core/host/cgroup/signal-cgroup'
import type { ContainerFacts, InitFacts } from '@crio-lxc/core/host/container/container-info'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import { progressOf } from '@crio-lxc/core/host/container/status'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { signalNamespace } from '@crio-lxc/core/host/process/pid-namespace'
import { signalProcess } from '@crio-lxc/core/host/process/pidfd'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { type Container, loadContainer } from '../container/load-container.ts'
import { endProcess } from '../removal/end-process.ts'
import { holdCgroup } from '../removal/hold-cgroup.ts'
import { killProcesses } from '../removal/kill-container.ts'
import type { Settings } from '../settings.ts'

/** kill(2): nothing is sent. */
const NO_SIGNAL = 0
/** Signals whose default action does not end a process; signal(7). */
const harmless = [NO_SIGNAL, SIGCHLD, SIGCONT, SIGURG, SIGWINCH]
const stopping = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]

export interface KillOptions {
  /** Every process of the container's cgroup, not only init. */
  readonly all: boolean
}

/** kill: runtime.md, "Kill". Throws ErrNotRunning when there is no process to signal. */
export function kill(settings: Settings, id: string, signal: number, { all }: KillOptions): void {
  const container = loadContainer(settings, id)
  const { facts, init, status } = container
  if (all) {
    // A stopped container may have left processes in a pid namespace that is not its own; none left is no error.
    const count = signalAll(settings, container, signal)
    // They have been moved out of its cgroup, or there never was one.
    if (count === 0 && init) signalNamespaceOf(settings, init.init, signal)
    return
  }
  if (status === 'creating') throw new RuntimeError('wrong-state', `signal ${id}: it is still being created: try again`)
  // The kernel ends with init what is in a pid namespace of the container's own, and nothing else.
  if (signal === SIGKILL && !hasOwnPids(facts) && signalAll(settings, container, signal) > 0) return
  if (!init || status === 'stopped') throw new ErrNotRunning(id)
  signalInit(settings, { ...container, init }, signal)
}

/** Returns how many processes there were. After SIGKILL none of them is left. */
function signalAll(settings: Settings, container: Container, signal: number): number {
  return withFds((claims) => {
    const layout = cgroupLayout()
    const cgroup = holdCgroup(layout, container, claims)
    return cgroup === undefined ? 0 : signalOwned(settings, { layout, cgroup, signal })
  })
}

interface Signalling {
  readonly layout: CgroupLayout
  readonly cgroup: string
  readonly signal: number
}

function signalOwned({ timeouts }: Settings, { layout, cgroup: cgroupDir, signal }: Signalling): number {
  const done = phaseLog('kill')
  const { killMs: timeoutMs } = timeouts
  const count =
    signal === SIGKILL
      ? killProcesses(layout, cgroupDir, timeoutMs)
      : signalCgroup(layout, cgroupDir, signal, { timeoutMs })
  done('signal', `sent signal ${signal} to every process of the cgroup ${cgroupDir}: ${count}`, { signal, count })
  return count
}

/** After SIGKILL none of them is left. */
function signalNamespaceOf({ timeouts }: Settings, init: ProcessIdentity, signal: number): void {
  const done = phaseLog('kill')
  const count = signalNamespace(init, signal)
  if (signal === SIGKILL) endProcess(init, timeouts.killMs)
  done('signal', `sent signal ${signal} to init, pid ${init.pid}, and what is in its pid namespace: ${count}`, {
    signal,
    count,
  })
}

function hasOwnPids({ namespaces = [] }: ContainerFacts): boolean {
  return namespaces.some(({ type, path }) => type === 'pid' && !path)
}

function signalInit({ timeouts }: Settings, container: Container & { readonly init: InitFacts }, signal: number): void {
  const { info, facts, init, status } = container
  const done = phaseLog('kill')
  // A parked init is pid 1 without handlers, to which the kernel delivers nothing but SIGKILL: what would end the
  // process must end it.
  const progress = status === 'paused' ? progressOf(container) : status
  const fatal = progress === 'created' && !harmless.includes(signal) && !stopping.includes(signal)
  const sent = fatal ? SIGKILL : signal
  if (!signalProcess(init.init, sent)) throw new ErrNotRunning(info.containerId)
  if (sent === SIGKILL) {
    // What is frozen on v1 does not even die, and what the container has frozen itself may be frozen again.
    if (mayHoldDying(facts.cgroupDir) && ownsCgroup(container))
      killProcesses(cgroupLayout(), facts.cgroupDir, timeouts.killMs)
    else if (status === 'paused') thaw(cgroupLayout(), facts.cgroupDir)
  }
  const instead = sent === signal ? '' : ` in place of ${signal}, which a container that is not started cannot take`
  done('signal', `sent signal ${sent} to init, pid ${init.init.pid}${instead}`, { pid: init.init.pid, signal: sent })
}
