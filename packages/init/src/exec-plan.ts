/** What `exec` does: enter the container from the host, fork into its pid namespace and become the process. */
import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLONE_PARENT, CLOSE_RANGE_CLOEXEC, SIGCHLD } from '@crio-lxc/core/abi/constants'
import { type OpenCgroup, planJoinCgroup } from '@crio-lxc/core/cgroup/plan/join-cgroup'
import { GroupTimes } from '@crio-lxc/core/plan/group-times'
import { type JoinedNamespace, joinsUserNamespace, planJoinNamespaces } from '@crio-lxc/core/plan/joined-namespace'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'
import { pidRecord } from '@crio-lxc/core/plan/structs'
import { planCloseAllBut } from './steps/close-fds.ts'
import { planOomScoreAdj } from './steps/oom-score.ts'
import {
  type ProcessInputs,
  planBecomeNamespaceRoot,
  planBecomeProcess,
  planExecute,
  planOpenRoot,
  planPrivileged,
  planPrologue,
} from './steps/process.ts'
import { planAffinity } from './steps/scheduling.ts'
import { planOpenHostProc } from './steps/security-label.ts'
import { planSessionKeyring } from './steps/session-keyring.ts'
import { type Console, planControllingTerminal, planTerminal } from './steps/terminal.ts'

export interface ExecFds {
  /** The container's. */
  readonly cgroup: OpenCgroup
  /** Write end of the pipe that exec reads: the pid of each process that goes on, then a failure record or end of file. */
  readonly report: number
  readonly console: Console | undefined
  /** Read end of the pipe on which exec acknowledges the seccomp listener; needed when the filter notifies. */
  readonly acknowledge: number | undefined
  readonly preserved: number
}

export interface ExecInputs {
  readonly arch: Arch
  readonly process: ProcessInputs
  /** In which the container differs from the runtime. */
  readonly namespaces: readonly JoinedNamespace[]
  /** The process gets a session keyring of its own. */
  readonly newKeyring: boolean
  readonly fds: ExecFds
  /** The plan notes when it begins what. */
  readonly traced?: boolean
}

export function planExec({ arch, process, namespaces, newKeyring, fds, traced }: ExecInputs): Plan {
  const plan = new Plan(planTag.exec, arch)
  if (traced) plan.times = new GroupTimes(plan)
  plan.times?.begin('join the cgroup')
  planPrologue(plan)
  const { execCPUAffinity: affinity, oomScoreAdj } = process.process
  if (oomScoreAdj !== undefined) planOomScoreAdj(plan, oomScoreAdj)
  if (affinity?.initial) planAffinity(plan, 'process.execCPUAffinity.initial', affinity.initial)
  // The cgroup first: a cgroup namespace would hide where we come from, and nothing may run inside without its limits.
  const end = new Label()
  planJoinCgroup(plan, fds.cgroup, { report: fds.report, end })
  planAffinity(plan, 'process.execCPUAffinity.final', affinity?.final)
  const proc = planOpenHostProc(plan, process.process)
  const mapped = joinsUserNamespace(namespaces)
  if (mapped) planPrivileged(plan, process.process)
  plan.times?.begin('enter the namespaces')
  planJoinNamespaces(plan, namespaces)
  const { record, pid } = pidRecord(plan)
  const parent = new Label()
  // A pid namespace holds for children only; CLONE_PARENT makes the process the caller's child, which reaps it itself.
  plan.step('fork', 'clone', [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], {
    result: pid,
    onOk: parent,
    onOkIfNonZero: true,
  })

  if (mapped) planBecomeNamespaceRoot(plan)
  if (newKeyring) planSessionKeyring(plan)
  plan.times?.begin('become the process')
  const root = planOpenRoot(plan)
  plan.step('become a session leader', 'setsid', [], { ignore: ['EPERM'] })
  if (fds.console) {
    const { consoleSize: size, user } = process.process
    planControllingTerminal(plan, planTerminal(plan, { root, ...fds.console, size, uid: user.uid }))
  }
  const executable = planBecomeProcess(plan, process, { root, proc, privileged: mapped ? 'parent' : 'own' })
  plan.step('close the root', 'close', [root])
  const kept = [fds.report, ...(fds.acknowledge === undefined ? [] : [fds.acknowledge])]
  planCloseAllBut(plan, kept, fds.preserved)
  for (const fd of kept) plan.step(`close fd ${fd} on execve`, 'close_range', [fd, fd, CLOSE_RANGE_CLOEXEC])
  // Before the filter, which may allow neither.
  plan.times?.begin('execve')
  plan.times?.report(fds.report)
  planExecute(plan, process, { executable, acknowledge: fds.acknowledge, awaitReader: true })

  plan.place(parent)
  plan.step('report the pid', 'write', [fds.report, record, record.length])
  plan.place(end)
  return plan
}
