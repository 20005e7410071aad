import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWUSER } from '@crio-lxc/core/abi/constants'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { planReportReady } from '@crio-lxc/core/plan/record'
import { planAwaitByte } from './steps/await-byte.ts'
import { planHelper } from './steps/helper.ts'

export interface UserNamespaceInputs {
  readonly arch: Arch
  /** fd of the namespace's file; undefined: a new one is made. */
  readonly joined: number | undefined
  /** Write end of the pipe that says when the namespace is there, or what failed. */
  readonly report: number
  /** Read end of a pipe that holds the process until the other end is closed. */
  readonly hold: number
}

/**
 * A process that is there for its user namespace, whose ids are those of /proc/PID/uid_map: mount_setattr(2) takes a
 * namespace as the mapping of a mount, and the file of one that is joined does not tell its ids. Only another process can
 * have one: unshare(2) and setns(2) refuse the runtime's, which has threads.
 */
export function planUserNamespace({ arch, joined, report, hold }: UserNamespaceInputs): Plan {
  const plan = new Plan(planTag.userNamespace, arch)
  planHelper(plan)
  if (joined === undefined) plan.step('make a user namespace', 'unshare', [CLONE_NEWUSER])
  else plan.step('join the user namespace', 'setns', [joined, CLONE_NEWUSER])
  planReportReady(plan, 'report that it is there', report)
  planAwaitByte(plan, 'wait until it is used', hold, { demanded: false })
  return plan
}
