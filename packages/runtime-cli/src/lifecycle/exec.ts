/** exec: one more process in a container that runs. It never enters the container itself (CVE-2019-5736). */
import { O_PATH, SIGKILL } from '@crio-lxc/core/abi/constants'
import { openCgroup } from '@crio-lxc/core/cgroup/cgroupfs'
import { cgroupOf, execCgroup, openSubCgroups } from '@crio-lxc/core/cgroup/exec-cgroup'
import { frozenAbove } from '@crio-lxc/core/cgroup/frozen'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { forksIntoCgroup } from '@crio-lxc/core/cgroup/plan/join-cgroup'
import { createPidFile } from '@crio-lxc/core/container/json-file'
import { keptSeccomp } from '@crio-lxc/core/container/seccomp-program'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { stepLog } from '@crio-lxc/core/log/step-log'
import { checkMappedUser } from '@crio-lxc/core/oci/id-mappings'
import { parseJson } from '@crio-lxc/core/oci/json'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { withUser } from '@crio-lxc/core/oci/with-defaults'
import { compile } from '@crio-lxc/core/plan/compile'
import { ExecutorProcess } from '@crio-lxc/core/process/executor-process'
import { isAlive, runningThread } from '@crio-lxc/core/process/proc'
import { close, pipe } from '@crio-lxc/core/sys/fd'
import { readFile } from '@crio-lxc/core/sys/files'
import { sealedFile } from '@crio-lxc/core/sys/memfd'
import { openat2 } from '@crio-lxc/core/sys/mount'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { kill } from '@crio-lxc/core/sys/program'
import { wait } from '@crio-lxc/core/sys/spawn'
import { readSize } from '@crio-lxc/core/sys/terminal'
import { planExec } from '@crio-lxc/init/exec-plan'
import { connectCaller, sendPidfd } from '../caller/caller-socket.ts'
import { preservedFds } from '../caller/preserved-fds.ts'
import { acknowledgeListener, agentOf, sendListener } from '../caller/seccomp-listener.ts'
import { fixStdio } from '../caller/stdio.ts'
import { type Container, loadContainer } from '../container/load-container.ts'
import { awaitExecution } from '../entering/await-execution.ts'
import type { ExecOptions } from '../entering/exec-options.ts'
import { execProcess } from '../entering/exec-process.ts'
import { appliedSeccomp, processInputs } from '../entering/process-inputs.ts'
import { sayWhyRefused } from '../entering/refused-execution.ts'
import { SignalRelay } from '../foreground/signal-relay.ts'
import { supervise } from '../foreground/supervise.ts'
import { TerminalProxy } from '../foreground/terminal-proxy.ts'
import { companionsOf } from '../installation/companions.ts'
import { hostArch } from '../installation/host-arch.ts'
import { openContainerNamespaces } from '../namespaces/container-namespaces.ts'
import { userNamespaceOfInit } from '../namespaces/user-namespace.ts'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import { traceOf } from '../plan-process/trace-of.ts'
import type { FeatureGates, Settings } from '../settings.ts'
import { Undo } from '../undo.ts'
import { stateOf } from './state.ts'

/** Returns the exit code of the process, or 0 when it is detached. */
export async function exec(settings: Settings, id: string, options: ExecOptions): Promise<number> {
  const trace = await traceOf('exec')
  if (options.detach) {
    begin(settings, id, { ...options, trace })
    return 0
  }
  return execInForeground(settings, id, { ...options, trace })
}

async function execInForeground(settings: Settings, id: string, options: BeginOptions): Promise<number> {
  const relay = new SignalRelay()
  try {
    // A frozen process may take for ever to begin: whoever waits for it may give up.
    if (!options.ignorePaused) relay.hold()
    const { pid, proxy } = begin(settings, id, options)
    return await supervise(pid, relay, proxy)
  } finally {
    relay.close()
  }
}

/** ExecDetached of the seed: returns the pid on the host, a child of this process that the caller reaps. */
export function execDetached(settings: Settings, id: string, options: Omit<ExecOptions, 'detach'>): number {
  return begin(settings, id, { ...options, detach: true }).pid
}

interface BeginOptions extends ExecOptions {
  readonly trace?: ProcessTrace | undefined
}

/** Returns when the program has been executed. */
function begin(
  settings: Settings,
  id: string,
  options: BeginOptions,
): { pid: number; proxy: TerminalProxy | undefined } {
  const done = stepLog('exec')
  const preserved = preservedFds(options.preserveFds ?? 0)
  const container = loadContainer(settings, id)
  checkStatus(container, options)
  checkLabels(options, settings.featureGates)
  const spec = loadOwnSpec(container)
  const asked = execProcess(spec.process, options)
  // A program that draws asks for the size at once, before the proxy could set it.
  const size = asked.terminal && !asked.consoleSize ? readSize(0) : undefined
  const process = size ? { ...asked, consoleSize: size } : asked
  if (process.terminal && options.detach && !options.consoleSocket)
    throw new RuntimeError('usage', 'a detached process with a terminal needs a socket for it: give --console-socket')
  if (!process.terminal && options.consoleSocket)
    throw new RuntimeError('usage', '--console-socket is for a process with a terminal: give --tty as well')
  const proxy = process.terminal && !options.detach && !options.consoleSocket ? new TerminalProxy() : undefined
  const pid = startProcess({ settings, container, spec, process, options, preserved, proxy })
  const { cgroupDir } = container.facts
  done('execute', `entered init's namespaces and the cgroup ${cgroupDir}; pid ${pid} has executed ${process.args[0]}`, {
    pid,
    cgroup: cgroupDir,
  })
  const { pidFile } = options
  try {
    if (pidFile !== undefined) writePidFile(pidFile, pid)
  } catch (error) {
    proxy?.close()
    throw error
  }
  return { pid, proxy }
}

/** A caller that gets no pid takes the process for one that never was: it ends, and is reaped. */
function writePidFile(path: string, pid: number): void {
  try {
    createPidFile(path, pid)
  } catch (error) {
    kill(pid, SIGKILL)
    wait(pid)
    throw error
  }
}

function checkStatus(
  { status, facts, info: { containerId: id } }: Container,
  { ignorePaused }: Pick<ExecOptions, 'ignorePaused'>,
): void {
  if (status === 'stopped') throw new RuntimeError('wrong-state', `${phrase.execStopped}: ${phrase.notRunning}: ${id}`)
  if (status === 'paused' && !ignorePaused)
    throw new RuntimeError('wrong-state', `${phrase.execPaused}: ${id}: resume it or give --ignore-paused`)
  const frozen = ignorePaused ? undefined : frozenAbove(cgroupLayout(), facts.cgroupDir)
  if (frozen !== undefined)
    throw new RuntimeError(
      'wrong-state',
      `${phrase.execPaused}: ${id}: the cgroup ${frozen} around it is frozen: thaw that first`,
    )
  if (status === 'creating')
    throw new RuntimeError('wrong-state', `exec in ${id}: it is still being created: try again`)
}

function isHeld({ status, facts }: Container): boolean {
  return status === 'paused' || frozenAbove(cgroupLayout(), facts.cgroupDir) !== undefined
}

/** A label that the host cannot apply would leave the process unconfined. */
function checkLabels({ apparmorProfile, selinuxLabel }: ExecOptions, { apparmor }: FeatureGates): void {
  if (apparmorProfile && apparmor && !hostHas('AppArmor'))
    throw new RuntimeError('unsupported', `--apparmor ${apparmorProfile}: this host has no AppArmor`)
  if (selinuxLabel && !hostHas('SELinux'))
    throw new RuntimeError('unsupported', `--process-label ${selinuxLabel}: this host has no SELinux`)
}

/** The config.json that create has validated and kept. */
function loadOwnSpec({ info }: Container): Spec {
  const path = info.runtimePath('config.json')
  const spec = parseJson(readFile(path), path) as Spec
  return { ...spec, process: withUser(spec.process) }
}

interface Starting {
  readonly settings: Settings
  readonly container: Container
  readonly spec: Spec
  readonly process: Process
  readonly options: BeginOptions
  /** Fds of the caller that the process keeps. */
  readonly preserved: readonly number[]
  readonly proxy: TerminalProxy | undefined
}

/** Returns the pid of the process, which is this process's child, when its program has been executed. */
function startProcess({ settings, container, spec, process, options, preserved, proxy }: Starting): number {
  const fds = new Undo()
  const keep = (fd: number): number => {
    fds.push(() => close(fd))
    return fd
  }
  const { startMs } = settings.timeouts
  // The new process is frozen with the others, for as long as they are.
  const waitMs = options.ignorePaused && isHeld(container) ? undefined : startMs
  try {
    const { init, facts, info } = container
    if (!init || !isAlive(init.init)) throw new RuntimeError('wrong-state', `${phrase.notRunning}: ${info.containerId}`)
    const consoleSocket =
      options.consoleSocket === undefined
        ? proxy?.socket
        : keep(connectCaller('console', options.consoleSocket, startMs))
    const console =
      consoleSocket === undefined ? undefined : { socket: consoleSocket, plainLines: proxy?.plainLines ?? false }
    const pidfdSocket =
      options.pidfdSocket === undefined ? undefined : keep(connectCaller('pidfd', options.pidfdSocket, startMs))
    const layout = cgroupLayout()
    const { cgroupDir: path } = facts
    const { tasks: others } = facts.resctrl ?? {}
    const cgroup = options.cgroups?.length
      ? openSubCgroups(options.cgroups, { path, layout, others })
      : openCgroup(layout, execCgroup(layout, path, init.init.pid), { others, instead: cgroupOf(init.init.pid) })
    cgroup.fds.forEach(keep)
    const [reportRead, reportWrite] = pipe()
    keep(reportRead)
    const thread = `/proc/${init.init.pid}/task/${runningThread(init.init.pid)}`
    const root = keep(openat2(-100, `${thread}/root`, { flags: O_PATH, resolve: 0 }))
    const namespaces = openContainerNamespaces(init.init, keep, thread)
    const userNamespace = userNamespaceOfInit(init.init, namespaces, thread)
    if (userNamespace) checkMappedUser(process.user, userNamespace)
    const profile = appliedSeccomp(spec.linux, facts)
    const inputs = processInputs(process, {
      linux: spec.linux,
      gates: facts,
      root,
      userNamespace: userNamespace !== undefined,
      seccomp: profile && keptSeccomp(info.runtimePath(), profile),
    })
    const agent = agentOf(spec.linux?.seccomp, inputs.seccomp?.notifies ?? false)
    const [acknowledge, acknowledgeWrite] = agent ? pipe().map(keep) : []
    const plan = planExec({
      arch: hostArch(),
      process: inputs,
      namespaces,
      newKeyring: !facts.noNewKeyring,
      fds: { cgroup, report: reportWrite, console, acknowledge, preserved: preserved.length },
      traced: options.trace !== undefined,
    })
    const file = keep(sealedFile('exec', compile(plan, reportWrite)))
    fixStdio(process.user, { namespace: userNamespace, label: spec.linux?.mountLabel, root })
    const executor = new ExecutorProcess({
      path: companionsOf(settings).init,
      plan: file,
      fds: [
        ...preserved,
        ...cgroup.fds,
        ...(consoleSocket === undefined ? [] : [consoleSocket]),
        ...(acknowledge === undefined ? [] : [acknowledge]),
        ...namespaces.map(({ fd }) => fd),
        reportWrite,
      ],
      // The last into the pid namespace.
      forks: forksIntoCgroup(cgroup) + 1,
    })
    close(reportWrite)
    const executed = awaitExecution({
      executor,
      init: init.init,
      report: reportRead,
      timeoutMs: waitMs,
      plan,
      command: process.args[0] ?? '',
      trace: options.trace,
      onArrived(pid) {
        proxy?.connect(waitMs ?? -1)
        if (pidfdSocket !== undefined) sendPidfd(pidfdSocket, pid, { word: 'setns', timeoutMs: startMs })
      },
      onRefused(pid, errno) {
        const entered = keep(pidfdOpen(pid))
        const { candidates } = inputs
        const { args, cwd } = process
        const refused = { pid, pidfd: entered, errno, command: args[0] ?? '', candidates, cwd }
        sayWhyRefused({ ...refused, init: companionsOf(settings).init })
      },
      onListener:
        agent &&
        ((pid, listener) => {
          const entered = keep(pidfdOpen(pid))
          sendListener(agent, { pid, pidfd: entered, listener, state: stateOf(container), timeoutMs: startMs })
          if (acknowledgeWrite !== undefined) acknowledgeListener(acknowledgeWrite)
        }),
    })
    if (!executed)
      throw new RuntimeError('exec-failed', `${phrase.notRunning}: ${info.containerId}: it ended while it was entered`)
    return executor.pid
  } catch (error) {
    proxy?.close()
    throw error
  } finally {
    fds.run(undefined)
  }
}
