import {
  AT_FDCWD,
  AT_RECURSIVE,
  FSCONFIG_CMD_CREATE,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '@crio-lxc/core/abi/constants'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'
import { STAGE_MOUNTS } from '@crio-lxc/core/plan/stage'

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

/** The same by a copy of the host's, which the launch plan has put below the stage; with the mounts on it, which are locked. */
export function planStagedProc(plan: Plan): Slot {
  const proc = plan.slot('procfs')
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
  const path = plan.string(`/${STAGE_MOUNTS}/proc`)
  plan.step("copy the host's procfs", 'open_tree', [AT_FDCWD, path, flags], { result: proc })
  return proc
}
