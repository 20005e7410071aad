import { FSCONFIG_CMD_CREATE, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC } from '@crio-lxc/core/abi/constants'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'
import { attach } from '../inside-root.ts'

export interface LabelledQueue {
  /** O_PATH fd of the mount point. */
  readonly target: Slot
  readonly path: string
  /** MOUNT_ATTR_*. */
  readonly attributes: number
  readonly label: string
  readonly pointer: string
}

/**
 * A mount of type mqueue with linux.mountLabel. Its filesystem is as old as the IPC namespace, so that the kernel takes
 * no context for it; the root gets the label before it is attached, where no path leads to it.
 */
export function planLabelledQueue(plan: Plan, { target, path, attributes, label, pointer }: LabelledQueue): void {
  const context = plan.slot(`context of ${path}`)
  const queue = plan.slot(path)
  const value = plan.string(label)
  plan.step(`open mqueue for ${pointer}`, 'fsopen', [plan.string('mqueue'), FSOPEN_CLOEXEC], { result: context })
  plan.step(`create mqueue for ${pointer}`, 'fsconfig', [context, FSCONFIG_CMD_CREATE, 0, 0, 0])
  plan.step(`mount mqueue for ${pointer}`, 'fsmount', [context, FSMOUNT_CLOEXEC, attributes], { result: queue })
  plan.step(`close the ${context.name}`, 'close', [context])
  plan.step(`enter ${path} for ${pointer}`, 'fchdir', [queue])
  plan.step(`set linux.mountLabel on ${path} for ${pointer}`, 'setxattr', [
    plan.string('.'),
    plan.string('security.selinux'),
    value,
    value.length + 1,
    0,
  ])
  attach(plan, `attach mqueue to ${path} for ${pointer}`, [queue, target])
  plan.step(`close the mqueue of ${path}`, 'close', [queue])
}
