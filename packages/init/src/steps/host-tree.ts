/**
 * Steps that let the hooks of create run between the mounts and pivot_root (runtime.md, "Lifecycle", 3 to 5). They look
 * for the host's files and, at root.path, for the container's, in the container's mount namespace too: until they have
 * run its root is a copy of the host's tree, and the stage lies below it.
 */
import { AT_FDCWD, MOVE_MOUNT_F_EMPTY_PATH } from '@crio-lxc/core/abi/constants'
import { HOOKS_TAG, type Plan } from '@crio-lxc/core/plan/plan'

/** What create has prepared for its hooks. */
export interface HookGate {
  /** Read end of the pipe on which create says that they have run. */
  readonly go: number
  /** Detached clone of the host's root with all its mounts; undefined in a mount namespace that others use. */
  readonly hostTree: HostTree | undefined
}

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
    plan.string('/root'),
    MOVE_MOUNT_F_EMPTY_PATH,
  ])
  plan.step("enter the host's tree", 'fchdir', [fd])
  plan.step("make the host's tree the root", 'pivot_root', [plan.string('.'), plan.string(`.${stage}`)])
  plan.step("enter the host's root", 'chdir', [plan.string('/')])
}

/** Tells create that the hooks may run, and waits until they have. */
export function planAwaitHooks(plan: Plan, { report, go }: { report: number; go: number }): void {
  const record = plan.struct(
    16,
    () => '{hooks}',
    (view, at) => {
      view.setUint32(at, HOOKS_TAG, true)
    },
  )
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step('report that the hooks of create may run', 'write', [report, record, 16])
  // End of file instead of the byte: a hook failed, or create is gone.
  plan.step('wait for the hooks of create', 'read', [go, byte, 1], { zeroIsFailure: true })
}
