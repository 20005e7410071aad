/**
 * exec: one more process in a container that runs. It never enters the container itself (CVE-2019-5736): what it has opened
 * from outside goes to an executor, which does, and becomes the process.
 */
import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { createPidFile } from '@crio-lxc/core/host/container/json-file'
import { cleanUp } from '@crio-lxc/core/host/log/clean-up'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { kill } from '@crio-lxc/core/sys/program'
import { wait } from '@crio-lxc/core/sys/spawn'
import { unlessEnded } from '../container/unless-ended.ts'
import type { ExecOptions } from '../entering/exec-options.ts'
import { awaitProgram, launch } from '../entering/launch.ts'
import { type Exec, openExec } from '../entering/open.ts'
import { type ExecRequest, refuse } from '../entering/refuse.ts'
import { SignalRelay } from '../foreground/signal-relay.ts'
import { supervise } from '../foreground/supervise.ts'
import { TerminalProxy } from '../foreground/terminal-proxy.ts'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import { traceOf } from '../plan-process/trace-of.ts'
import type { Settings } from '../settings.ts'

/** Returns the exit code of the process, or 0 when it is detached. */
export async function exec(settings: Settings, id: string, options: ExecOptions): Promise<number> {
  const trace = await traceOf('exec')
  if (!options.detach) return execInForeground(settings, id, options, trace)
  execute(settings, id, options, trace)
  return 0
}

/** ExecDetached of the seed: returns the pid on the host, a child of this process that the caller reaps. */
export function execDetached(settings: Settings, id: string, options: Omit<ExecOptions, 'detach'>): number {
  return execute(settings, id, { ...options, detach: true }, undefined).pid
}

async function execInForeground(
  settings: Settings,
  id: string,
  options: ExecOptions,
  trace: ProcessTrace | undefined,
): Promise<number> {
  const relay = new SignalRelay()
  try {
    // A frozen process may take for ever to begin: whoever waits for it may give up.
    if (!options.ignorePaused) relay.hold()
    const { pid, proxy } = execute(settings, id, options, trace)
    return await supervise(pid, relay, proxy)
  } finally {
    relay.close()
  }
}

interface Executed {
  /** Of a child of this process. */
  readonly pid: number
  readonly proxy: TerminalProxy | undefined
}

/** Returns when the program has been executed. */
function execute(settings: Settings, id: string, options: ExecOptions, trace: ProcessTrace | undefined): Executed {
  const done = phaseLog('exec')
  const request = refuse(settings, id, options)
  const proxy = request.needsProxy ? new TerminalProxy() : undefined
  try {
    const { container, process } = request
    const pid = unlessEnded(settings, container, () => withFds((fds) => enter(request, { fds, proxy, trace })))
    const { cgroupDir: cgroup } = container.facts
    const what = `entered init's namespaces and the cgroup ${cgroup}; pid ${pid} has executed ${process.args[0]}`
    done('execute', what, { pid, cgroup })
    if (options.pidFile !== undefined) publish(options.pidFile, pid)
    return { pid, proxy }
  } catch (error) {
    proxy?.close()
    throw error
  }
}

function enter(request: ExecRequest, exec: Exec): number {
  const opened = openExec(request, exec)
  const launched = launch(opened, exec)
  return awaitProgram(opened, launched, exec)
}

/** A caller that gets no pid takes the process for one that never was: it ends, and is reaped. */
function publish(pidFile: string, pid: number): void {
  try {
    createPidFile(pidFile, pid)
  } catch (error) {
    cleanUp(error, [() => kill(pid, SIGKILL), () => wait(pid)])
    throw error
  }
}
