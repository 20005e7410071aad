/**
 * Steps that find or make a path inside the container's root. The image is hostile: every path is resolved by the
 * kernel below an fd (RESOLVE_IN_ROOT), so no symlink leads out of it (CVE-2021-30465, CVE-2024-45310).
 */
import {
  AT_EMPTY_PATH,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_WRONLY,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '@crio-lxc/core/abi/constants'
import { errnoTable } from '@crio-lxc/core/abi/errno'
import { type Arg, Label, type Plan, type Slot, type StepOptions } from '@crio-lxc/core/plan/plan'
import { type MountAttr, mountAttr, openHow } from '@crio-lxc/core/plan/structs'
import { planCompareFilesystem } from './compare.ts'

/** A path's components without empty ones and dots; `..` removes the component before it and stops at the root. */
export function components(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

/** A path of the container, and the open directory from which the kernel resolves it. */
export interface Place {
  readonly root: Arg
  readonly path: string
  /** How many components of `path` lead to `root`: none when that is the container's root. */
  readonly depth?: number
}

/** Whether `path` is /proc or below it, as it is written. */
export function isInProc(path: string): boolean {
  return components(path)[0] === 'proc'
}

export interface OpenOptions extends StepOptions {
  readonly what: string
  readonly flags?: number
  readonly resolve?: number
}

/** openat2 below `root`, O_PATH unless `flags` say otherwise. */
export function openInRoot(
  plan: Plan,
  { root, path, depth = 0 }: Place,
  { what, flags = O_PATH, resolve = 0, ...options }: OpenOptions,
): void {
  // From a mount inside the container's root, what leads out of it cannot be followed to where it means.
  const bounds = depth === 0 ? RESOLVE_IN_ROOT : RESOLVE_BENEATH
  const how = openHow(plan, { flags: flags | O_CLOEXEC, resolve: bounds | RESOLVE_NO_MAGICLINKS | resolve })
  const relative = components(path).slice(depth).join('/') || '.'
  plan.step(what, 'openat2', [root, plan.string(relative), how, 24], options)
}

export interface Target extends Place {
  readonly directory: boolean
  /** The field that asks for the target, for the error. */
  readonly what: string
  readonly resolve?: number
}

/** An O_PATH fd of `path`, which is created with its parents (0755) when it does not exist. */
export function ensureTarget(plan: Plan, { root, path, depth = 0, directory, what, resolve = 0 }: Target): Slot {
  const parts = components(path)
  const found = plan.slot(`target of ${what}`)
  const done = new Label()
  const flags = O_PATH | (directory ? plan.arch.O_DIRECTORY : 0)
  const find = `open ${path} in the rootfs for ${what}`
  const place = { root, path, depth }
  const advice = directory ? { ENOTDIR: `${path} must be a directory, and so must all that leads there` } : {}
  openInRoot(plan, place, { what: find, flags, resolve, ignore: ['ENOENT'], result: found, onOk: done, advice })

  let parent = root
  const directories = directory ? parts.length : parts.length - 1
  for (let level = depth + 1; level <= directories; level++) {
    const made = parts.slice(0, level).join('/')
    const name = plan.string(parts[level - 1] as string)
    plan.step(`create directory /${made} in the rootfs for ${what}`, 'mkdirat', [parent, name, 0o755], {
      ignore: ['EEXIST'],
    })
    const last = directory && level === directories
    const opened = last ? found : plan.slot(`/${made}`)
    openInRoot(
      plan,
      { root, path: made, depth },
      {
        what: `open /${made} in the rootfs for ${what}`,
        flags: O_PATH | plan.arch.O_DIRECTORY,
        resolve,
        result: opened,
      },
    )
    parent = opened
  }
  if (!directory) {
    const made = plan.slot(`new /${parts.join('/')}`)
    const exclusive = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | plan.arch.O_NOFOLLOW
    const name = plan.string(parts.at(-1) ?? '.')
    const exists = new Label()
    plan.step(`create file ${path} in the rootfs for ${what}`, 'openat', [parent, name, exclusive, 0o644], {
      ignore: ['EEXIST'],
      result: made,
      onIgnored: exists,
    })
    plan.step(`close ${path}`, 'close', [made])
    plan.place(exists)
  }
  if (!directory || directories <= depth) openInRoot(plan, place, { what: find, flags, resolve, result: found })
  plan.place(done)
  return found
}

/** An O_PATH fd of what is mounted on the open `target`: ".." of a root stays there, and goes over to the mount on top. */
export function openMountOn(plan: Plan, target: Slot, what: string): Slot {
  const mount = plan.slot(`mount on the ${target.name}`)
  const how = openHow(plan, { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
  plan.step(what, 'openat2', [target, plan.string('..'), how, 24], { result: mount })
  return mount
}

const PROC_SUPER_MAGIC = 0x9fa0

/** The image may have a symlink to /proc under another name: what the target lies on tells (CVE-2019-16884). */
export function refuseProcfs(plan: Plan, target: Slot, { path, pointer }: { path: string; pointer: string }): void {
  const end = new Label()
  planCompareFilesystem(plan, { what: `${path} of ${pointer}`, fd: target, magic: PROC_SUPER_MAGIC }, end)
  plan.step(`mount on ${path} for ${pointer}: it leads into /proc`, 'fail', [errnoTable.EPERM[0]])
  plan.place(end)
}

/** Attaches the detached mount `mount` onto the open `target`. */
export function attach(
  plan: Plan,
  what: string,
  [mount, target]: readonly [mount: Arg, target: Arg],
  options?: Pick<StepOptions, 'advice'>,
): void {
  const empty = plan.string('')
  const args = [mount, empty, target, empty, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH]
  plan.step(what, 'move_mount', args, options)
}

/**
 * For a source that is a file: of a target that is a directory move_mount(2) says EINVAL, where mount(2) says ENOTDIR, by whose
 * words Docker knows it.
 */
export function ontoFile(path: string): Pick<StepOptions, 'advice'> {
  return { advice: { EINVAL: `the source is not a directory, so ${path} must not be one either` } }
}

/** mount_setattr on the mount behind the open `fd`. */
export function setMountAttr(
  plan: Plan,
  what: string,
  { fd, attr, recursive = 0, ...options }: StepOptions & { fd: Arg; attr: MountAttr; recursive?: number },
): void {
  const args = [fd, plan.string(''), AT_EMPTY_PATH | recursive, mountAttr(plan, attr), 32]
  plan.step(what, 'mount_setattr', args, options)
}

/** A detached copy of the mount at `path` below the open `fd`; without a path, of what `fd` itself is. */
export function cloneTree(
  plan: Plan,
  what: string,
  { fd, path = '', recursive = 0 }: { fd: Arg; path?: string; recursive?: number },
): Slot {
  const copy = plan.slot(what)
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path === '' ? AT_EMPTY_PATH : 0) | recursive
  plan.step(what, 'open_tree', [fd, plan.string(path), flags], { result: copy })
  return copy
}
