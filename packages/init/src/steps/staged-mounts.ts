import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MS_REC,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { STAGE_MOUNTS } from '@crio-lxc/core/plan/stage'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { mountAttr } from '@crio-lxc/core/plan/structs'

/** Replaces the mounts of the host that init inherited by their copies in its own mount namespace, under the same numbers. */
export function planFetchStagedMounts(plan: Plan, mounts: readonly StagedMount[]): void {
  for (const [index, { fd, propagation, file }] of mounts.entries()) {
    const path = `/${STAGE_MOUNTS}/${file ? `${file.of}/${file.name}` : index}`
    const copy = plan.slot(`staged mount ${index}`)
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
    plan.step(`copy the staged mount ${path}`, 'open_tree', [AT_FDCWD, plan.string(path), flags], { result: copy })
    for (const change of propagation)
      plan.step(`set the propagation of ${path}`, 'mount_setattr', [
        copy,
        plan.string(''),
        AT_EMPTY_PATH | (change & MS_REC ? AT_RECURSIVE : 0),
        mountAttr(plan, { set: 0, clear: 0, propagation: change & ~MS_REC }),
        32,
      ])
    plan.step(`make it fd ${fd}`, 'dup3', [copy, fd, 0])
    plan.step(`close the copy of ${path}`, 'close', [copy])
  }
}
