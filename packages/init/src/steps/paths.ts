/** Steps for linux.maskedPaths and linux.readonlyPaths: any failure but "does not exist" fails create (CVE-2025-31133). */
import {
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  makedev,
  O_PATH,
  S_IFCHR,
  S_IFREG,
} from '@crio-lxc/core/abi/constants'
import { type Arg, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'
import { attach, cloneTree, openInRoot, setMountAttr } from '../inside-root.ts'
import { type KernelMounts, placeOf } from './kernel-mounts.ts'

interface Paths {
  readonly root: number
  readonly kernel: KernelMounts
  readonly paths: readonly string[]
}

export interface MaskedPaths extends Paths {
  /** The tmpfs of own-nodes.ts. */
  readonly ownNodes: Slot
  /** A detached bind of a null device that create has made, where init may make none. */
  readonly nullDevice: number | undefined
}

/** How many files and directories of own-nodes.ts the masks are. */
export const MASKS = 2
const EMPTY = 'empty'
const NULL = 'null'

/** Hides each path: a directory behind an empty read-only one, a file behind a read-only null device of the container's own. */
export function planMaskedPaths(plan: Plan, { root, kernel, paths, ownNodes, nullDevice }: MaskedPaths): void {
  planMasks(plan, ownNodes, nullDevice)
  for (const path of new Set(paths)) {
    const target = plan.slot(`masked ${path}`)
    const directory = new Label()
    const end = new Label()
    const open = { result: target, what: `open ${path} to mask it` }
    const flags = O_PATH | plan.arch.O_DIRECTORY
    const place = placeOf(path, root, kernel)
    openInRoot(plan, place, { ...open, flags, ignore: ['ENOENT', 'ENOTDIR'], onOk: directory })
    openInRoot(plan, place, { ...open, ignore: ['ENOENT'], onIgnored: end })
    planMask(plan, { path, target, mask: { fd: ownNodes, path: NULL } })
    plan.step(`go on after ${path}`, 'move', [0], { onOk: end })
    plan.place(directory)
    planMask(plan, { path, target, mask: { fd: ownNodes, path: EMPTY } })
    plan.place(end)
  }
}

function planMasks(plan: Plan, ownNodes: Slot, nullDevice: number | undefined): void {
  const readonly = { set: MOUNT_ATTR_RDONLY, clear: 0 }
  plan.step('make the mask for directories', 'mkdirat', [ownNodes, plan.string(EMPTY), 0o755])
  const [kind, number] = nullDevice === undefined ? [S_IFCHR | 0o666, makedev(1, 3)] : [S_IFREG | 0o644, 0]
  plan.step('make the mask for files', 'mknodat', [ownNodes, plan.string(NULL), kind, number])
  if (nullDevice !== undefined) {
    setMountAttr(plan, 'make the mask for files read-only', { fd: nullDevice, attr: readonly })
    const onto = [ownNodes, plan.string(NULL), MOVE_MOUNT_F_EMPTY_PATH] as const
    plan.step('attach the mask for files', 'move_mount', [nullDevice, plan.string(''), ...onto])
  }
  // Their copies are as the mount is by now.
  setMountAttr(plan, 'make the masks read-only', { fd: ownNodes, attr: readonly })
}

interface Mask {
  readonly path: string
  readonly target: Slot
  readonly mask: { readonly fd: Arg; readonly path: string }
}

function planMask(plan: Plan, { path, target, mask }: Mask): void {
  const copy = cloneTree(plan, `copy the mask for ${path}`, mask)
  attach(plan, `mask ${path}`, [copy, target])
  plan.step(`close the mask of ${path}`, 'close', [copy])
  plan.step(`close ${path}`, 'close', [target])
}

/** Binds each path over itself and makes the bind read-only before it appears. */
export function planReadonlyPaths(plan: Plan, { root, kernel, paths }: Paths): void {
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
