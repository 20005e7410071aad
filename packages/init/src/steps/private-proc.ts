import { FSCONFIG_CMD_CREATE, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC } from '@crio-lxc/core/abi/constants'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'

/**
 * A procfs that is attached nowhere, so no mount or symlink of the container can redirect a write (CVE-2025-52881).
 * To be made before parts of the container's own are masked: a user namespace may see no more than it does there.
 */
export function planPrivateProc(plan: Plan): Slot {
  const context = plan.slot('procfs context')
  const proc = plan.slot('procfs')
  plan.step('open a procfs of our own', 'fsopen', [plan.string('proc'), FSOPEN_CLOEXEC], { result: context })
  plan.step('create the procfs of our own', 'fsconfig', [context, FSCONFIG_CMD_CREATE, 0, 0, 0])
  plan.step('mount the procfs of our own', 'fsmount', [context, FSMOUNT_CLOEXEC, 0], { result: proc })
  plan.step('close the procfs context', 'close', [context])
  return proc
}
