/** Steps for linux.maskedPaths and linux.readonlyPaths: any failure but "does not exist" fails create (CVE-2025-31133). */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_RDONLY,
  O_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '@crio-lxc/core/abi/constants'
import { type Arg, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'
import { attach, openInRoot, setMountAttr } from '../inside-root.ts'
import { labelledData } from '../mount-label.ts'
import { type KernelMounts, placeOf } from './kernel-mounts.ts'

export interface MaskedPaths {
  readonly root: number
  readonly kernel: KernelMounts
  readonly paths: readonly string[]
  readonly nullDevice: number
  /** Path of the stage's root, without a slash at its end. */
  readonly stage: string
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
}

/**
 * Hides each path: a directory behind one empty read-only tmpfs, a file behind the null device. Both masks are
 * attached to the stage first because a detached mount can be attached once and an attached one cloned at will.
 */
export function planMaskedPaths(plan: Plan, { root, kernel, paths, nullDevice, stage, label }: MaskedPaths): void {
  if (paths.length === 0) return
  const empty = plan.string(`${stage}/mask/empty`)
  const data = 'nr_blocks=1,nr_inodes=1'
  plan.step('mount the empty directory that masks directories', 'mount', [
    plan.string('tmpfs'),
    empty,
    plan.string('tmpfs'),
    MS_RDONLY,
    plan.string(label === '' ? data : labelledData(data, label, 'linux.maskedPaths')),
  ])
  const directoryMask = plan.slot('mask for directories')
  plan.step('open the mask for directories', 'openat', [AT_FDCWD, empty, O_PATH | plan.arch.O_DIRECTORY], {
    result: directoryMask,
  })
  plan.step('attach the mask for files', 'move_mount', [
    nullDevice,
    plan.string(''),
    AT_FDCWD,
    plan.string(`${stage}/mask/null`),
    MOVE_MOUNT_F_EMPTY_PATH,
  ])
  for (const path of paths) {
    const target = plan.slot(`masked ${path}`)
    const directory = new Label()
    const end = new Label()
    const open = { result: target, what: `open ${path} to mask it` }
    const flags = O_PATH | plan.arch.O_DIRECTORY
    const place = placeOf(path, root, kernel)
    openInRoot(plan, place, { ...open, flags, ignore: ['ENOENT', 'ENOTDIR'], onOk: directory })
    openInRoot(plan, place, { ...open, ignore: ['ENOENT'], onIgnored: end })
    planMask(plan, { path, target, mask: nullDevice })
    plan.step(`go on after ${path}`, 'move', [0], { onOk: end })
    plan.place(directory)
    planMask(plan, { path, target, mask: directoryMask })
    plan.place(end)
  }
}

function planMask(plan: Plan, { path, target, mask }: { path: string; target: Slot; mask: Arg }): void {
  const copy = cloneTree(plan, `copy the mask for ${path}`, { fd: mask, recursive: 0 })
  attach(plan, `mask ${path}`, [copy, target])
  plan.step(`close the mask of ${path}`, 'close', [copy])
  plan.step(`close ${path}`, 'close', [target])
}

/** Binds each path over itself and makes the bind read-only before it appears. */
export function planReadonlyPaths(
  plan: Plan,
  { root, kernel, paths }: Pick<MaskedPaths, 'root' | 'kernel' | 'paths'>,
): void {
  for (const path of paths) {
    const target = plan.slot(`read-only ${path}`)
    const missing = new Label()
    openInRoot(plan, placeOf(path, root, kernel), {
      what: `open ${path} to make it read-only`,
      result: target,
      ignore: ['ENOENT'],
      onIgnored: missing,
    })
    const copy = cloneTree(plan, `bind ${path} to make it read-only`, { fd: target, recursive: AT_RECURSIVE })
    const attr = { set: MOUNT_ATTR_RDONLY, clear: 0 }
    setMountAttr(plan, `make ${path} read-only`, { fd: copy, attr, recursive: AT_RECURSIVE })
    attach(plan, `attach the read-only ${path}`, [copy, target])
    plan.step(`close the bind of ${path}`, 'close', [copy])
    plan.step(`close ${path}`, 'close', [target])
    plan.place(missing)
  }
}

function cloneTree(plan: Plan, what: string, { fd, recursive }: { fd: Arg; recursive: number }): Slot {
  const copy = plan.slot(what)
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive
  plan.step(what, 'open_tree', [fd, plan.string(''), flags], { result: copy })
  return copy
}
