/** How a process of the host enters a container, for exec and for hooks: it is in its cgroup already (join-cgroup.ts). */
import { CLONE_PARENT, SIGCHLD } from '@crio-lxc/core/abi/constants'
import type { Process } from '@crio-lxc/core/oci/spec'
import { type ContainerEntry, joinsUserNamespace, planJoinNamespaces } from '@crio-lxc/core/plan/container-entry'
import { type Bytes, Label, type Plan } from '@crio-lxc/core/plan/plan'
import { pidRecord, planReport } from '@crio-lxc/core/plan/record'
import { planBecomeNamespaceRoot, planPrivileged } from './process.ts'
import { planSessionKeyring } from './session-keyring.ts'

/** What the process that stays behind has to do: planLeave, behind all steps of the one that enters. */
export interface Leaving {
  readonly parent: Label
  readonly record: Bytes
}

/** `process` is given when its limits and priorities are to be the ones inside. */
export function planEnterNamespaces(
  plan: Plan,
  { namespaces, newKeyring }: ContainerEntry,
  process: Process | undefined,
): Leaving {
  const mapped = joinsUserNamespace(namespaces)
  if (mapped && process) planPrivileged(plan, process)
  plan.times?.group('enter the namespaces')
  planJoinNamespaces(plan, namespaces)
  const { record, value: pid } = pidRecord(plan)
  const parent = new Label()
  // A pid namespace holds for children only; CLONE_PARENT makes the process the caller's child, which reaps it itself.
  plan.step('fork', 'clone', [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], {
    result: pid,
    onOk: parent,
    onOkIfNonZero: true,
  })
  // Root of the host need not be mapped: the process begins as root of the namespace, as init does.
  if (mapped) planBecomeNamespaceRoot(plan)
  if (newKeyring) planSessionKeyring(plan)
  return { parent, record }
}

/** Says which process has entered. */
export function planLeave(plan: Plan, { parent, record }: Leaving, report: number): void {
  plan.place(parent)
  planReport(plan, 'report the pid', report, record, { role: 'tell-of-child' })
}
