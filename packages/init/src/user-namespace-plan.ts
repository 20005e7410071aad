import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWUSER } from '@crio-lxc/core/abi/constants'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'

export interface UserNamespaceInputs {
  readonly arch: Arch
  /** Write end of the pipe that says when the namespace is there, or what failed. */
  readonly report: number
  /** Read end of a pipe that holds the process until the other end is closed. */
  readonly hold: number
}

/**
 * A process that is there for its user namespace, which mount_setattr(2) takes as the mapping of a mount. Only another
 * process can have one: unshare(2) refuses the runtime's, which has threads.
 */
export function planUserNamespace({ arch, report, hold }: UserNamespaceInputs): Plan {
  const plan = new Plan(planTag.userNamespace, arch)
  const ready = plan.struct(
    16,
    () => '{ready}',
    () => undefined,
  )
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step('make a user namespace', 'unshare', [CLONE_NEWUSER])
  plan.step('report that it is made', 'write', [report, ready, 16])
  plan.step('wait until it is open', 'read', [hold, byte, 1])
  return plan
}
