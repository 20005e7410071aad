/**
 * How a process becomes an OCI hook (config.md, "POSIX-platform Hooks"): by itself in the runtime's namespaces, in the
 * container's before pivot_root (createContainer), or as the container's process is (startContainer).
 */
import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLOSE_RANGE_CLOEXEC } from '@crio-lxc/core/abi/constants'
import type { Hook } from '@crio-lxc/core/oci/spec'
import { type ContainerEntry, joinsUserNamespace } from '@crio-lxc/core/plan/container-entry'
import { planJoinCgroup } from '@crio-lxc/core/plan/join-cgroup'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'
import { planReportReady } from '@crio-lxc/core/plan/record'
import { planAwaitByte } from './steps/await-byte.ts'
import { planCloseAllBut } from './steps/close-fds.ts'
import { type Leaving, planEnterNamespaces, planLeave } from './steps/enter.ts'
import { type ProcessInputs, planBecomeProcess, planExecute, planOpenRoot, planPrologue } from './steps/process.ts'
import { planOpenHostProc } from './steps/security-label.ts'

export interface HookFds {
  /** The state; at its beginning, and at its end after the last byte. */
  readonly stdin: number
  readonly stdout: number
  readonly stderr: number
  /** Write end of a pipe: the pid of each process that goes on, that it is ready, then a failure record or end of file. */
  readonly report: number
  /** Read end of a pipe: end of file instead of a byte, and nothing is executed. */
  readonly go: number
}

export interface HookInputs {
  readonly arch: Arch
  readonly hook: Hook
  /** Working directory of a hook that does not take the process's. */
  readonly cwd: string
  readonly fds: HookFds
  /** The container to enter; undefined: the hook stays where the runtime is. */
  readonly container?: HookEntry | undefined
}

export interface HookEntry extends ContainerEntry {
  /** The container's process, for a hook that has its user, capabilities, limits, filter and working directory. */
  readonly process: Omit<ProcessInputs, 'candidates' | 'environment'> | undefined
}

export function planHook({ arch, hook, cwd, fds, container }: HookInputs): Plan {
  const plan = new Plan(planTag.hook, arch)
  const end = new Label()
  const proc = container?.process && planOpenHostProc(plan, container.process.process)
  const leaving = container && planEnter(plan, container, fds.report, end)
  planSession(plan, fds)
  planAwaitGo(plan, fds)
  const args = hook.args ?? [hook.path]
  const environment = hook.env ?? []
  if (container?.process) {
    const { process } = container.process
    const inputs = { ...container.process, process: { ...process, args }, environment, candidates: [hook.path] }
    const root = planOpenRoot(plan)
    const privileged = joinsUserNamespace(container.namespaces) ? 'parent' : 'own'
    const executable = planBecomeProcess(plan, inputs, { root, proc, privileged })
    planCloseAll(plan, fds.report)
    planExecute(plan, inputs, { executable })
  } else {
    plan.step(`enter ${cwd}`, 'chdir', [plan.string(cwd)])
    plan.step('set the umask of the hook', 'umask', [0o022])
    planCloseAll(plan, fds.report)
    const executed = [plan.string(hook.path), plan.strings(args), plan.strings(environment)]
    plan.step('execute the hook', 'execve', executed, { role: 'execute' })
  }
  if (leaving) planLeave(plan, leaving, fds.report)
  plan.place(end)
  return plan
}

/** The way of an exec plan: the cgroup by host paths, then the namespaces. */
function planEnter(plan: Plan, entry: HookEntry, report: number, end: Label): Leaving {
  planPrologue(plan)
  planJoinCgroup(plan, entry.cgroup, { report, end })
  return planEnterNamespaces(plan, entry, entry.process?.process)
}

/** A session of its own: its process group is the hook and what it started, and no terminal can signal it. */
function planSession(plan: Plan, { stdin, stdout, stderr }: HookFds): void {
  plan.step('become a session leader', 'setsid', [])
  for (const [fd, source] of [stdin, stdout, stderr].entries()) plan.step(`make it fd ${fd}`, 'dup3', [source, fd, 0])
}

/** A hook that nobody knows could not be ended with whoever runs it. */
function planAwaitGo(plan: Plan, { report, go }: HookFds): void {
  planReportReady(plan, 'report that the session is there', report)
  planAwaitByte(plan, 'wait until the runtime knows it', go, { demanded: true })
}

/** Nothing of the runtime's or its caller's is inherited, whether or not it was to be closed on execve. */
function planCloseAll(plan: Plan, report: number): void {
  planCloseAllBut(plan, [report])
  plan.step('close the report pipe on execve', 'close_range', [report, report, CLOSE_RANGE_CLOEXEC])
}
