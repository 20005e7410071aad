/** What `exec` does: enter the container from the host, fork into its pid namespace and become the process. */
import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLOSE_RANGE_CLOEXEC } from '@crio-lxc/core/abi/constants'
import { type ContainerEntry, joinsUserNamespace } from '@crio-lxc/core/plan/container-entry'
import { GroupTimes } from '@crio-lxc/core/plan/group-times'
import { planJoinCgroup } from '@crio-lxc/core/plan/join-cgroup'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'
import { planCloseAllBut } from './steps/close-fds.ts'
import { planEnterNamespaces, planLeave } from './steps/enter.ts'
import { planOomScoreAdj } from './steps/oom-score.ts'
import { type ProcessInputs, planBecomeProcess, planExecute, planOpenRoot, planPrologue } from './steps/process.ts'
import { planAffinity } from './steps/scheduling.ts'
import { planOpenHostProc } from './steps/security-label.ts'
import { type Console, planControllingTerminal, planTerminal } from './steps/terminal.ts'

export interface ExecFds {
  /** Write end of the pipe that exec reads: the pid of each process that goes on, then a failure record or end of file. */
  readonly report: number
  readonly console: Console | undefined
  /** Read end of the pipe on which exec acknowledges the seccomp listener; needed when the filter notifies. */
  readonly acknowledge: number | undefined
  /** `--preserve-fds`: they stay open. */
  readonly preserved: readonly number[]
}

export interface ExecInputs {
  readonly arch: Arch
  readonly process: ProcessInputs
  readonly entry: ContainerEntry
  readonly fds: ExecFds
  /** The plan notes when it begins what. */
  readonly traced?: boolean
}

export function planExec({ arch, process, entry, fds, traced }: ExecInputs): Plan {
  const plan = new Plan(planTag.exec, arch)
  if (traced) plan.times = new GroupTimes(plan)
  plan.times?.group('join the cgroup')
  planPrologue(plan)
  const { execCPUAffinity: affinity, oomScoreAdj } = process.process
  if (oomScoreAdj !== undefined) planOomScoreAdj(plan, oomScoreAdj)
  if (affinity?.initial) planAffinity(plan, 'process.execCPUAffinity.initial', affinity.initial)
  // The cgroup first: a cgroup namespace would hide where we come from, and nothing may run inside without its limits.
  const end = new Label()
  planJoinCgroup(plan, entry.cgroup, { report: fds.report, end })
  planAffinity(plan, 'process.execCPUAffinity.final', affinity?.final)
  const proc = planOpenHostProc(plan, process.process)
  const leaving = planEnterNamespaces(plan, entry, process.process)
  plan.times?.group('become the process')
  const root = planOpenRoot(plan)
  plan.step('become a session leader', 'setsid', [], { ignore: ['EPERM'] })
  if (fds.console) {
    const { consoleSize: size, user } = process.process
    planControllingTerminal(plan, planTerminal(plan, { root, ...fds.console, size, uid: user.uid }))
  }
  const executable = planBecomeProcess(plan, process, {
    root,
    proc,
    privileged: joinsUserNamespace(entry.namespaces) ? 'parent' : 'own',
  })
  plan.step('close the root', 'close', [root])
  const kept = [fds.report, ...(fds.acknowledge === undefined ? [] : [fds.acknowledge])]
  planCloseAllBut(plan, [...kept, ...fds.preserved])
  for (const fd of kept) plan.step(`close fd ${fd} on execve`, 'close_range', [fd, fd, CLOSE_RANGE_CLOEXEC])
  // Before the filter, which may allow neither.
  plan.times?.group('execve')
  plan.times?.report(fds.report)
  planExecute(plan, process, { executable, acknowledge: fds.acknowledge, awaitReader: true })

  planLeave(plan, leaving, fds.report)
  plan.place(end)
  return plan
}
