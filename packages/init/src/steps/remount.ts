/** Steps for the option "remount", and for the propagation of a mount. */
import { AT_RECURSIVE, MS_REMOUNT } from '@crio-lxc/core/abi/constants'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { type Arg, Label, type Plan } from '@crio-lxc/core/plan/plan'
import { components, openInRoot, setMountAttr } from '../inside-root.ts'
import { type MountOptions, parseMountOptions } from '../mount-options.ts'

/**
 * Filesystems of which every mount is a new one. Others may be the host's too: sysfs and mqueue are one for each namespace,
 * those of disks one for each disk.
 */
const ownFilesystems = new Set(['tmpfs', 'ramfs', 'devpts', 'proc', 'overlay'])

export interface PlacedMount extends Mount {
  /** The destination in the list, when links lead from it to another. */
  readonly written?: string
}

/**
 * The entries of the list that change a filesystem, with those that make it. Both are found by the destination as it is
 * written. Throws SpecError when there is none, or when its filesystem may be the host's too.
 */
export function filesystemsToRemount(mounts: readonly PlacedMount[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  if (!mounts.some(({ options }) => options?.includes('remount'))) return found
  const lastAt = new Map<string, number>()
  mounts.forEach((mount, index) => {
    const { destination, type = '', written = destination } = mount
    const { remount } = parseMountOptions(mount.options ?? [])
    const at = components(written).join('/')
    if (!remount) lastAt.set(at, index)
    if (!remount || isBind(mount)) return
    const before = lastAt.get(at) ?? -1
    const made = mounts[before]
    if (!made || made.type !== type || isBind(made))
      throw new SpecError(
        `mounts[${index}].options`,
        `"remount" needs an earlier mount of type ${JSON.stringify(type)} on ${destination}: add "bind" to change a bind mount`,
      )
    if (!ownFilesystems.has(type))
      throw new SpecError(
        `mounts[${index}].options`,
        `"remount" of type ${JSON.stringify(type)} may change a filesystem that the host has mounted too: add "bind" to change this mount alone`,
      )
    found.set(index, before)
  })
  return found
}

interface Remount {
  readonly root: Arg
  readonly mount: Mount
  readonly pointer: string
  readonly options: MountOptions
  /** An fd of the mount whose filesystem is to change; undefined changes the attributes of the mount that is there. */
  readonly filesystem: Arg | undefined
}

/**
 * The flags and the data of a filesystem are changed through the mount that made it: on its path there may be another by
 * now, by a link of the image a bind of the host. The attributes of a mount are the container's own, whichever it is.
 */
export function planRemount(plan: Plan, { root, mount, pointer, options, filesystem }: Remount): void {
  const { destination: path } = mount
  if (filesystem !== undefined) {
    plan.step(`enter ${path} for ${pointer}`, 'fchdir', [filesystem])
    const data = options.data ? plan.string(options.data) : 0
    const call: readonly Arg[] = [0, plan.string('.'), 0, options.flags | MS_REMOUNT, data]
    plan.step(`remount ${path} for ${pointer}`, 'mount', call)
    planPropagation(plan, filesystem, { path, pointer, options })
    return
  }
  const fd = plan.slot(path)
  openInRoot(plan, { root, path }, { what: `open ${path} for ${pointer}`, result: fd })
  planChangeAttributes(plan, `change the attributes of ${path} for ${pointer}`, { fd, options })
  planPropagation(plan, fd, { path, pointer, options })
  plan.step(`close the ${fd.name}`, 'close', [fd])
}

/** What the options of a bind say of the mount behind `fd`. */
export function planChangeAttributes(
  plan: Plan,
  what: string,
  { fd, options }: { fd: Arg; options: MountOptions },
): void {
  const { ofBind, ofTree, cleared } = options
  if (ofBind) {
    // As runc's second attempt: in a user namespace the kernel has locked flags that are not named here. Those stay.
    const done = new Label()
    setMountAttr(plan, what, { fd, attr: ofBind, ignore: ['EPERM'], onOk: done })
    setMountAttr(plan, what, { fd, attr: { set: ofBind.set, clear: cleared } })
    plan.place(done)
  }
  if (ofTree) setMountAttr(plan, `${what} and below`, { fd, attr: ofTree, recursive: AT_RECURSIVE })
}

/** `fd` is the root of the mount. */
export function planPropagation(
  plan: Plan,
  fd: Arg,
  { path, pointer, options }: { path: string; pointer: string; options: MountOptions },
): void {
  if (options.propagation.length === 0) return
  plan.step(`enter ${path} for ${pointer}`, 'fchdir', [fd])
  for (const change of options.propagation)
    plan.step(`set the propagation of ${path} for ${pointer}`, 'mount', [0, plan.string('.'), 0, change, 0])
}
