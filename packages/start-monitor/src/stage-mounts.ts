import {
  AT_FDCWD,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_REC,
  S_IFREG,
} from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { STAGE_MOUNTS } from '@crio-lxc/core/plan/stage'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'

/** Whoever may mount in a user namespace may not see more of these than the namespace shows already (proc(5), sysfs(5)). */
const visible = ['proc', 'sys']

/**
 * liblxc wants to see the container's processes below the stage while it sets up, and mounts a procfs when it does not. For
 * a pid namespace of the host it may not in a user namespace; the host's procfs shows them.
 */
export function planHostProcesses(plan: Plan, stage: string): void {
  const target = plan.string(`${stage}/proc`)
  plan.step("show the host's processes to liblxc", 'mount', [plan.string('/proc'), target, 0, MS_BIND | MS_REC, 0])
}

/** Steps in the monitor's mount namespace that attach `mounts` below the stage, and the host's /proc and /sys beside them. */
export function planStagedMounts(plan: Plan, stage: string, mounts: readonly StagedMount[]): void {
  const directory = `${stage}/${STAGE_MOUNTS}`
  plan.step('make room for the mounts of the host', 'mount', [
    plan.string('tmpfs'),
    plan.string(directory),
    plan.string('tmpfs'),
    MS_NOSUID | MS_NODEV | MS_NOEXEC,
    plan.string('mode=755'),
  ])
  for (const name of visible) {
    const path = plan.string(`${directory}/${name}`)
    plan.step(`make a mount point for the host's /${name}`, 'mkdirat', [AT_FDCWD, path, 0o755])
    plan.step(`show the host's /${name} to the namespace`, 'mount', [
      plan.string(`/${name}`),
      path,
      0,
      MS_BIND | MS_REC,
      0,
    ])
  }
  for (const [index, mount] of mounts.entries()) {
    if (mount.file) continue
    const path = plan.string(`${directory}/${index}`)
    const what = `make a mount point for the staged mount ${index}`
    if (mount.directory) plan.step(what, 'mkdirat', [AT_FDCWD, path, 0o755])
    else plan.step(what, 'mknodat', [AT_FDCWD, path, S_IFREG | 0o644, 0])
    plan.step(`attach the staged mount ${index}`, 'move_mount', [
      mount.fd,
      plan.string(''),
      AT_FDCWD,
      path,
      MOVE_MOUNT_F_EMPTY_PATH,
    ])
  }
}
