/**
 * Steps that let the hooks of create run between the mounts and pivot_root (runtime.md, "Lifecycle", 3 to 5). They look
 * for the host's files and, at root.path, for the container's, in the container's mount namespace too: until they have
 * run its root is a copy of the host's tree, and the stage lies below it.
 */

import { AT_FDCWD, MOVE_MOUNT_F_EMPTY_PATH } from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { STAGE_ROOT } from '@crio-lxc/core/plan/stage'

export interface HostTree {
  readonly fd: number
  /** Directory of the host, without symlinks, below which the stage is while the hooks run. */
  readonly stage: string
  /** root.path, absolute and without symlinks. */
  readonly rootfs: string
}

/** Makes the host's tree the root, with the stage at `stage`. */
export function planEnterHostTree(plan: Plan, { fd, stage }: HostTree): void {
  plan.step("attach the host's tree for the hooks", 'move_mount', [
    fd,
    plan.string(''),
    AT_FDCWD,
    plan.string(`/${STAGE_ROOT}`),
    MOVE_MOUNT_F_EMPTY_PATH,
  ])
  plan.step("enter the host's tree", 'fchdir', [fd])
  plan.step("make the host's tree the root", 'pivot_root', [plan.string('.'), plan.string(`.${stage}`)])
  plan.step("enter the host's root", 'chdir', [plan.string('/')])
}
