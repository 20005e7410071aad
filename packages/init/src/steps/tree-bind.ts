/**
 * Steps for a bind whose source an earlier mount of the list provides: it exists in the container's tree only, so init
 * finds it there when its turn comes, below the root, and clones what it has opened.
 */
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_IDMAP,
  MS_REC,
  O_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '@crio-lxc/core/abi/constants'
import { type Arg, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'
import { ensureTarget, openInRoot, type Place, setMountAttr } from '../inside-root.ts'
import type { MountOptions } from '../mount-options.ts'
import { planChangeAttributes } from './remount.ts'

/** Where a bind's source lies in the container's tree. */
export interface TreeSource {
  readonly path: string
  /** An idmapped mount: an fd of the user namespace with its mappings, and whether those below are mapped too. */
  readonly idmap: { readonly userNamespace: number; readonly recursive: boolean } | undefined
}

export interface TreeBind {
  /** The container's root. */
  readonly root: Arg
  readonly place: Place
  readonly source: TreeSource
  readonly options: MountOptions
  readonly pointer: string
}

/** Returns the clone, detached, and the target for it: a directory for a directory, a file for anything else. */
export function planTreeBind(plan: Plan, bind: TreeBind): { readonly clone: Slot; readonly target: Slot } {
  const { root, place, source, options, pointer } = bind
  const what = `open ${source.path} in the container for ${pointer}`
  const opened = plan.slot(`source of ${pointer}`)
  const target = plan.slot(`target of ${pointer}`)
  const file = new Label()
  const end = new Label()
  const found = { root, path: source.path }
  const flags = O_PATH | plan.arch.O_DIRECTORY
  openInRoot(plan, found, { what, flags, result: opened, ignore: ['ENOTDIR'], onIgnored: file })
  const directory = ensureTarget(plan, { ...place, directory: true, what: pointer })
  plan.step(`take the directory ${place.path}`, 'move', [directory], { result: target, onOk: end })
  plan.place(file)
  openInRoot(plan, found, { what, result: opened })
  const name = ensureTarget(plan, { ...place, directory: false, what: pointer })
  plan.step(`take the file ${place.path}`, 'move', [name], { result: target })
  plan.place(end)
  const clone = planClone(plan, opened, bind)
  plan.step(`close the ${opened.name}`, 'close', [opened])
  const change = `change the attributes of ${source.path} for ${pointer}`
  planChangeAttributes(plan, change, { fd: clone, options })
  return { clone, target }
}

function planClone(plan: Plan, opened: Slot, { source, options, pointer }: TreeBind): Slot {
  const clone = plan.slot(`clone for ${pointer}`)
  const recursive = options.recursive ? AT_RECURSIVE : 0
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive
  const what = `clone ${source.path} for ${pointer}`
  plan.step(what, 'open_tree', [opened, plan.string(''), flags], { result: clone })
  if (source.idmap) {
    const { userNamespace, recursive: below } = source.idmap
    const attr = { set: MOUNT_ATTR_IDMAP, clear: 0, userNamespace }
    setMountAttr(plan, `idmap ${source.path} for ${pointer}`, { fd: clone, attr, recursive: below ? AT_RECURSIVE : 0 })
  }
  for (const change of options.propagation) {
    const attr = { set: 0, clear: 0, propagation: change & ~MS_REC }
    const what = `set the propagation of ${source.path} for ${pointer}`
    setMountAttr(plan, what, { fd: clone, attr, recursive: change & MS_REC ? AT_RECURSIVE : 0 })
  }
  return clone
}
