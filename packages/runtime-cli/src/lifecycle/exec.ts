/** exec: one more process in a container that runs. It never enters the container itself (CVE-2019-5736). */
import { closeSync, readFileSync, writeSync } from 'node:fs'
import { O_PATH } from '@crio-lxc/core/abi/constants'
import { openCgroup } from '@crio-lxc/core/cgroup/cgroupfs'
import { execCgroup } from '@crio-lxc/core/cgroup/exec-cgroup'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { createPidFile } from '@crio-lxc/core/container/json-file'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { stepLog } from '@crio-lxc/core/log/step-log'
import { parseJson } from '@crio-lxc/core/oci/json'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { compile } from '@crio-lxc/core/plan/compile'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { callText } from '@crio-lxc/core/plan/print'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import { readRecord, type StepRecord } from '@crio-lxc/core/process/plan-record'
import { memfdCreate, openat2, pipe } from '@crio-lxc/core/sys/libc'
import { pidfdOpen, pidfdSendSignal } from '@crio-lxc/core/sys/libc-process'
import { spawn, wait } from '@crio-lxc/core/sys/spawn'
import { readSize } from '@crio-lxc/core/sys/terminal'
import { planExec } from '@crio-lxc/init/exec-plan'
import { companionsOf } from './companions.ts'
import { connectConsole } from './console-socket.ts'
import type { ExecOptions } from './exec-options.ts'
import { processOfFlags } from './exec-process.ts'
import { hostArch } from './host-arch.ts'
import { type Container, loadContainer } from './load-container.ts'
import { foreignNamespaces } from './namespaces.ts'
import { processInputs } from './process-inputs.ts'
import { acknowledgeListener, agentOf, listenerMissing, sendListener } from './seccomp-listener.ts'
import type { Settings } from './settings.ts'
import { stateOf } from './state.ts'
import { fixStdio } from './stdio.ts'
import { stepError } from './step-error.ts'
import { supervise } from './supervise.ts'
import { TerminalProxy } from './terminal-proxy.ts'
import { Undo } from './undo.ts'

const SIGKILL = 9

/** Returns the exit code of the process, or 0 when it is detached. */
export function exec(settings: Settings, id: string, options: ExecOptions): number | Promise<number> {
  const { pid, proxy } = begin(settings, id, options)
  return options.detach ? 0 : supervise(pid, proxy)
}

/** ExecDetached of the seed: returns the pid on the host, a child of this process that the caller reaps. */
export function execDetached(settings: Settings, id: string, options: Omit<ExecOptions, 'detach'>): number {
  return begin(settings, id, { ...options, detach: true }).pid
}

/** Returns when the program has been executed. */
function begin(
  settings: Settings,
  id: string,
  options: ExecOptions,
): { pid: number; proxy: TerminalProxy | undefined } {
  const done = stepLog('exec')
  const container = loadContainer(settings, id)
  checkStatus(container, options)
  const spec = loadOwnSpec(container)
  const asked = processOf(spec, options)
  // A program that draws asks for the size at once, before the proxy could set it.
  const size = asked.terminal && !asked.consoleSize ? readSize(0) : undefined
  const process = size ? { ...asked, consoleSize: size } : asked
  if (process.terminal && options.detach && !options.consoleSocket)
    throw new RuntimeError('usage', 'a detached process with a terminal needs a socket for it: give --console-socket')
  if (!process.terminal && options.consoleSocket)
    throw new RuntimeError('usage', '--console-socket is for a process with a terminal: give --tty as well')
  const proxy = process.terminal && !options.detach && !options.consoleSocket ? new TerminalProxy() : undefined
  const pid = startProcess({ settings, container, spec, process, options, proxy })
  const { cgroupDir } = container.facts
  done(`entered init's namespaces and the cgroup ${cgroupDir}; pid ${pid} has executed ${process.args[0]}`, {
    pid,
    cgroup: cgroupDir,
  })
  if (options.pidFile !== undefined) createPidFile(options.pidFile, pid)
  return { pid, proxy }
}

function checkStatus(
  { status, info: { containerId: id } }: Container,
  { ignorePaused }: Pick<ExecOptions, 'ignorePaused'>,
): void {
  if (status === 'stopped') throw new RuntimeError('wrong-state', `${phrase.execStopped}: ${phrase.notRunning}: ${id}`)
  if (status === 'paused' && !ignorePaused) throw new RuntimeError('wrong-state', `${phrase.execPaused}: ${id}`)
  if (status === 'creating')
    throw new RuntimeError('wrong-state', `exec in ${id}: it is still being created: try again`)
}

/** The config.json that create has validated and kept. */
function loadOwnSpec({ info }: Container): Spec {
  const path = info.runtimePath('config.json')
  return parseJson(readFileSync(path), path) as Spec
}

function processOf(spec: Spec, options: ExecOptions): Process {
  const { process, tty } = options
  return process ? { ...process, terminal: process.terminal || tty } : processOfFlags(spec.process, options)
}

interface Starting {
  readonly settings: Settings
  readonly container: Container
  readonly spec: Spec
  readonly process: Process
  readonly options: ExecOptions
  readonly proxy: TerminalProxy | undefined
}

/** Returns the pid of the process, which is this process's child, when its program has been executed. */
function startProcess({ settings, container, spec, process, options, proxy }: Starting): number {
  const fds = new Undo()
  const keep = (fd: number): number => {
    fds.push(() => closeSync(fd))
    return fd
  }
  try {
    const { init, facts, info } = container
    const target = init && openProcess(init.init)
    if (!init || target === undefined)
      throw new RuntimeError('wrong-state', `${phrase.notRunning}: ${info.containerId}`)
    const pidfd = keep(target)
    const consoleSocket =
      options.consoleSocket === undefined ? proxy?.socket : keep(connectConsole(options.consoleSocket))
    const layout = cgroupLayout()
    const cgroup = openCgroup(layout, execCgroup(layout, facts.cgroupDir, init.init.pid))
    cgroup.fds.forEach(keep)
    const [reportRead, reportWrite] = pipe()
    keep(reportRead)
    const root = keep(openat2(-100, `/proc/${init.init.pid}/root`, { flags: O_PATH, resolve: 0 }))
    const inputs = processInputs(process, { linux: spec.linux, gates: facts, root })
    const agent = agentOf(spec.linux?.seccomp, inputs.seccomp?.notifies ?? false)
    const [acknowledge, acknowledgeWrite] = agent ? pipe().map(keep) : []
    const plan = planExec({
      arch: hostArch(),
      process: inputs,
      namespaces: foreignNamespaces(init.init.pid),
      fds: { pidfd, cgroup, report: reportWrite, consoleSocket, acknowledge, preserved: options.preserveFds ?? 0 },
    })
    const file = keep(memfdCreate('exec'))
    writeSync(file, compile(plan, reportWrite))
    fixStdio(process.user)
    const pid = spawn({
      path: companionsOf(settings).init,
      args: ['crio-lxc-init', String(file)],
      env: [],
      fds: [
        ...Array.from({ length: options.preserveFds ?? 0 }, (_, index) => 3 + index),
        ...cgroup.fds,
        ...(consoleSocket === undefined ? [] : [consoleSocket]),
        ...(acknowledge === undefined ? [] : [acknowledge]),
        pidfd,
        reportWrite,
        file,
      ],
    })
    closeSync(reportWrite)
    const running = awaitExecution(pid, {
      report: reportRead,
      // Into the cgroup, when that takes one, and into the pid namespace.
      forks: cgroup.unified === undefined ? 1 : 2,
      // The new process is frozen with the others, for as long as they are.
      timeoutMs: container.status === 'paused' ? undefined : settings.timeouts.startMs,
      plan,
      command: process.args[0] ?? '',
      onForked: () => proxy?.connect(),
      onListener:
        agent &&
        ((pid, listener) => {
          const entered = keep(pidfdOpen(pid))
          try {
            sendListener(agent, { pid, pidfd: entered, listener, state: stateOf(container) })
          } catch (error) {
            pidfdSendSignal(entered, SIGKILL)
            wait(pid)
            throw error
          }
          if (acknowledgeWrite !== undefined) acknowledgeListener(acknowledgeWrite)
        }),
    })
    if (running === undefined)
      throw new RuntimeError('exec-failed', `${phrase.notRunning}: ${info.containerId}: it ended while it was entered`)
    return running
  } catch (error) {
    proxy?.close()
    throw error
  } finally {
    fds.run(undefined)
  }
}

interface Waiting {
  readonly report: number
  /** How often the process goes on as its child before it is the container's. */
  readonly forks: number
  /** undefined: for ever. */
  readonly timeoutMs: number | undefined
  readonly plan: Plan
  readonly command: string
  readonly onForked: () => void
  /** Hands a seccomp listener to its agent; undefined when the filter has none. */
  readonly onListener: ((pid: number, listener: number) => void) | undefined
}

/**
 * Waits until the program is executed. Returns its pid, undefined when it ended on the way without a word; throws the
 * error of a step that failed. Reads to the end of file, as parent and child write in no certain order.
 */
function awaitExecution(
  first: number,
  { report, forks, timeoutMs, plan, command, onForked, onListener }: Waiting,
): number | undefined {
  let pid = first
  let failure: StepRecord | undefined
  let listener: number | undefined
  let handedOver = onListener === undefined
  for (let forked = 0; ; ) {
    const record = readRecord(report, { timeoutMs, what: `execute ${command}` })
    if (record.kind === 'failure') failure = record
    if (record.kind === 'listener') listener = record.listener
    if (record.kind === 'forked') {
      wait(pid)
      pid = record.pid
      if (++forked === forks) onForked()
    }
    if (listener !== undefined && forked === forks && !handedOver) {
      onListener?.(pid, listener)
      handedOver = true
    }
    if (record.kind !== 'end') continue
    if (forked === forks && !failure) {
      if (handedOver) return pid
      wait(pid)
      throw listenerMissing(`execute ${command}`)
    }
    break
  }
  wait(pid)
  const step = failure && plan.steps[failure.step]
  if (!failure) return undefined
  if (!step) throw new RuntimeError('exec-failed', `init reported an unknown step ${failure.step}`)
  throw stepError('exec-failed', { what: step.what, call: callText(step), errno: failure.errno, command })
}
