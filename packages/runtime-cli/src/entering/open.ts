/** Everything that exec needs of the host and of the container: opened and checked from outside, and inherited as fds. */
import { O_PATH } from '@crio-lxc/core/abi/constants'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { openCgroup } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { cgroupOf, execCgroup, openSubCgroups } from '@crio-lxc/core/host/cgroup/exec-cgroup'
import { frozenAbove } from '@crio-lxc/core/host/cgroup/frozen'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import { keptSeccomp } from '@crio-lxc/core/host/container/seccomp-program'
import { isAlive, type ProcessIdentity, runningThread } from '@crio-lxc/core/host/process/proc'
import { checkMappedUser, type IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { ContainerEntry } from '@crio-lxc/core/plan/container-entry'
import type { OpenCgroup } from '@crio-lxc/core/plan/join-cgroup'
import { type Fd, pipe } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { openat2 } from '@crio-lxc/core/sys/mount'
import type { PlannedProcess } from '@crio-lxc/init/process-plan'
import type { Console } from '@crio-lxc/init/steps/terminal'
import { connectCaller } from '../caller/caller-socket.ts'
import { agentOf, type SeccompAgent } from '../caller/seccomp-listener.ts'
import type { Container } from '../container/load-container.ts'
import { requireCgroup } from '../container/require-cgroup.ts'
import type { TerminalProxy } from '../foreground/terminal-proxy.ts'
import { openContainerNamespaces } from '../namespaces/container-namespaces.ts'
import { userNamespaceOfInit } from '../namespaces/user-namespace.ts'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import type { ExecOptions } from './exec-options.ts'
import { processInputs } from './process-inputs.ts'
import type { ExecRequest } from './refuse.ts'

/** What the parts of an exec share. */
export interface Exec {
  readonly fds: FdScope
  /** The terminal's other side, when that is this process's. */
  readonly proxy: TerminalProxy | undefined
  readonly trace: ProcessTrace | undefined
}

interface Pipe {
  readonly readEnd: Fd
  readonly writeEnd: Fd
}

export interface OpenedExec {
  readonly request: ExecRequest
  /** The container's. */
  readonly init: ProcessIdentity
  /** How long the process may take to execute its program; undefined: for ever. */
  readonly timeoutMs: number | undefined
  readonly console: Console | undefined
  /** Connection to --pidfd-socket. */
  readonly pidfdSocket: Fd | undefined
  /** To which the process reports. */
  readonly report: Pipe
  /** O_PATH fd of the container's root. */
  readonly root: Fd
  readonly userNamespace: IdMappings | undefined
  readonly entry: ContainerEntry
  readonly inputs: PlannedProcess
  readonly agent: SeccompAgent | undefined
  /** The pipe on which the process waits until the agent has its listener: there with an agent. */
  readonly acknowledge: Pipe | undefined
}

export function openExec(request: ExecRequest, { fds, proxy }: Exec): OpenedExec {
  const { settings, options, container, process, spec } = request
  const { startMs } = settings.timeouts
  // The new process is frozen with the others, for as long as they are.
  const timeoutMs = options.ignorePaused && isHeld(container) ? undefined : startMs
  const init = livingInit(container)
  const console = openConsole(options, proxy, { timeoutMs: startMs, fds })
  const pidfdSocket =
    options.pidfdSocket === undefined ? undefined : fds.keep(connectCaller('pidfd', options.pidfdSocket, startMs))
  const cgroup = openCgroupOf(container, init, { options, fds })
  const report = keptPipe(fds)
  const thread = `/proc/${init.pid}/task/${runningThread(init.pid)}`
  const root = fds.keep(openat2(-100, `${thread}/root`, { flags: O_PATH, resolve: 0 }))
  const namespaces = openContainerNamespaces(init, fds, thread)
  const userNamespace = userNamespaceOfInit(init, namespaces, thread)
  if (userNamespace) checkMappedUser(process.user, userNamespace)
  const { facts, info } = container
  const inputs = processInputs(process, {
    linux: spec.linux,
    featureGates: facts,
    root,
    userNamespace: userNamespace !== undefined,
    filterOf: (seccomp) => keptSeccomp(info.runtimePath(), seccomp),
  })
  const agent = agentOf(spec.linux?.seccomp, inputs.seccomp?.notifies ?? false)
  const acknowledge = agent && keptPipe(fds)
  const entry = { namespaces, cgroup, newKeyring: !facts.noNewKeyring }
  const opened = { request, init, timeoutMs, console, pidfdSocket, report, root }
  return { ...opened, userNamespace, entry, inputs, agent, acknowledge }
}

function isHeld({ status, facts }: Container): boolean {
  return status === 'paused' || frozenAbove(cgroupLayout(), facts.cgroupDir) !== undefined
}

function livingInit({ init, info }: Container): ProcessIdentity {
  if (!init || !isAlive(init.init)) throw new RuntimeError('wrong-state', `${phrase.notRunning}: ${info.containerId}`)
  return init.init
}

/** To where the process's terminal goes: the caller's socket, or the proxy. */
function openConsole(
  { consoleSocket: path }: ExecOptions,
  proxy: TerminalProxy | undefined,
  { timeoutMs, fds }: { readonly timeoutMs: number; readonly fds: FdScope },
): Console | undefined {
  const socket = path === undefined ? proxy?.socket : fds.keep(connectCaller('console', path, timeoutMs))
  return socket === undefined ? undefined : { socket, plainLines: proxy?.plainLines ?? false }
}

function openCgroupOf(
  container: Container,
  { pid }: ProcessIdentity,
  { options, fds }: { readonly options: ExecOptions; readonly fds: FdScope },
): OpenCgroup {
  const layout = cgroupLayout()
  const { cgroupDir: path, resctrl } = container.facts
  const { tasks: others } = resctrl ?? {}
  if (options.cgroups?.length) {
    requireCgroup(container, 'exec --cgroup in')
    return openSubCgroups(options.cgroups, { path, layout, others }, fds)
  }
  // Without one of its own, where its init is.
  const place = ownsCgroup(container) ? execCgroup(layout, path, pid) : cgroupOf(pid)
  return openCgroup(layout, place, { others, instead: cgroupOf(pid) }, fds)
}

function keptPipe(fds: FdScope): Pipe {
  const [readEnd, writeEnd] = pipe()
  return { readEnd: fds.keep(readEnd), writeEnd: fds.keep(writeEnd) }
}
