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
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '@crio-lxc/core/abi/constants'
import { errnoTable } from '@crio-lxc/core/abi/errno'
import { type Arg, Label, type Plan, type Slot, type StepOptions } from '@crio-lxc/core/plan/plan'
import { type MountAttr, mountAttr, openHow } from '@crio-lxc/core/plan/structs'

/** A path's components without empty ones and dots; `..` removes the component before it and stops at the root. */
export function components(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

export interface OpenOptions extends StepOptions {
  readonly what: string
  readonly flags?: number
  readonly resolve?: number
}

/** openat2 below `root`, O_PATH unless `flags` say otherwise. */
export function openInRoot(
  plan: Plan,
  { root, path }: { root: Arg; path: string },
  { what, flags = O_PATH, resolve = 0, ...options }: OpenOptions,
): void {
  const how = openHow(plan, { flags: flags | O_CLOEXEC, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve })
  plan.step(what, 'openat2', [root, plan.string(relative(path)), how, 24], options)
}

export interface Target {
  readonly root: Arg
  readonly path: string
  readonly directory: boolean
  /** The field that asks for the target, for the error. */
  readonly what: string
  readonly resolve?: number
}

/** An O_PATH fd of `path`, which is created with its parents (0755) when it does not exist. */
export function ensureTarget(plan: Plan, { root, path, directory, what, resolve = 0 }: Target): Slot {
  const parts = components(path)
  const found = plan.slot(`target of ${what}`)
  const done = new Label()
  const flags = O_PATH | (directory ? plan.arch.O_DIRECTORY : 0)
  const find = `open ${path} in the rootfs for ${what}`
  openInRoot(plan, { root, path }, { what: find, flags, resolve, ignore: ['ENOENT'], result: found, onOk: done })

  let parent = root
  const directories = directory ? parts.length : parts.length - 1
  for (let depth = 1; depth <= directories; depth++) {
    const made = parts.slice(0, depth).join('/')
    const name = plan.string(parts[depth - 1] as string)
    plan.step(`create directory /${made} in the rootfs for ${what}`, 'mkdirat', [parent, name, 0o755], {
      ignore: ['EEXIST'],
    })
    const last = directory && depth === directories
    const opened = last ? found : plan.slot(`/${made}`)
    openInRoot(
      plan,
      { root, path: made },
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
  if (!directory || directories === 0) openInRoot(plan, { root, path }, { what: find, flags, resolve, result: found })
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

/** sizeof(struct statfs); f_type is its first word. */
const STATFS_BYTES = 120
const PROC_SUPER_MAGIC = 0x9fa0
const FUTEX_CMP_REQUEUE = 4

/**
 * The image may have a symlink to /proc under another name: what the target lies on tells (CVE-2019-16884). The executor
 * compares nothing, but this futex operation does: EAGAIN when the word differs, and when not it requeues nobody.
 */
export function refuseProcfs(plan: Plan, target: Slot, { path, pointer }: { path: string; pointer: string }): void {
  if (components(path)[0] === 'proc') return
  const end = new Label()
  const statfs = plan.struct(
    STATFS_BYTES,
    () => '{}',
    () => undefined,
  )
  plan.step(`see what ${path} lies on for ${pointer}`, 'fstatfs', [target, statfs])
  const compare = [statfs, FUTEX_CMP_REQUEUE, 0, 0, statfs, PROC_SUPER_MAGIC]
  plan.step(`see whether ${path} is on a procfs`, 'futex', compare, { ignore: ['EAGAIN'], onIgnored: end })
  plan.step(`mount on ${path} for ${pointer}: it leads into /proc`, 'fail', [errnoTable.EPERM[0]])
  plan.place(end)
}

/** Attaches the detached mount `mount` onto the open `target`. */
export function attach(plan: Plan, what: string, [mount, target]: readonly [mount: Arg, target: Arg]): void {
  const empty = plan.string('')
  plan.step(what, 'move_mount', [mount, empty, target, empty, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH])
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

function relative(path: string): string {
  return components(path).join('/') || '.'
}
