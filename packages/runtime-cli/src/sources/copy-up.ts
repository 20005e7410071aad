/**
 * tmpcopyup: a tmpfs that begins with what the image has at its place. The copy is made on the host into a detached
 * tmpfs, from fds below the rootfs, and follows no symlink of the image.
 */

import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_RDONLY,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '@crio-lxc/core/abi/constants'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { type IdMappings, toHostId } from '@crio-lxc/core/oci/id-mappings'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { fstat, O_DIRECTORY, O_RDONLY, openFile } from '@crio-lxc/core/sys/files'
import { mountFlags, mountSetattr, newMount, openat2 } from '@crio-lxc/core/sys/mount'
import { changeOwner } from '@crio-lxc/core/sys/owner-and-mode'
import { components } from '@crio-lxc/init/inside-root'
import { refuseOtherContext } from '@crio-lxc/init/mount-label'
import type { MountOptions } from '@crio-lxc/init/mount-options'
import { namesMode } from '@crio-lxc/init/steps/tmpfs-mode'
import type { CopyBudget } from './copy-budget.ts'
import { copyTree } from './copy-tree.ts'

export interface CopyUp {
  readonly options: MountOptions
  /** O_PATH fd of the rootfs. */
  readonly rootfs: number
  readonly pointer: string
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
  /** Of the container's user namespace. */
  readonly ids: IdMappings | undefined
  /** Of all mounts of the container. */
  readonly budget: CopyBudget
}

/** fd of the detached tmpfs, filled. Its root belongs to the container's root, or to whom the options name. */
export function openTmpfsWithCopy(mount: Mount, { options, rootfs, pointer, label, ids, budget }: CopyUp): Fd {
  const { destination, source } = mount
  if (label) refuseOtherContext(options.data, pointer)
  return withFds((fds) => {
    try {
      // Nothing in the image to copy: an empty tmpfs is what is asked for.
      const from = openInImage(rootfs, destination)
      if (from !== undefined) fds.keep(from)
      const data = ids ? withHostIds(options.data, ids, pointer) : options.data
      const parameters = data.split(',').filter((option) => option !== '')
      if (from !== undefined && !namesMode(data)) parameters.push(`mode=${(fstat(from).mode & 0o7777).toString(8)}`)
      const attributes = options.attributes & ~MOUNT_ATTR_RDONLY
      const fd = fds.keep(
        newMount({ type: 'tmpfs', source: source || 'tmpfs', context: label, parameters, attributes }),
      )
      if (ids) giveToRoot(fd, options.data, ids)
      if (from !== undefined) fill(fd, from, budget)
      if (options.attributes & MOUNT_ATTR_RDONLY) mountSetattr(fd, { set: MOUNT_ATTR_RDONLY })
      return fds.release(fd)
    } catch (error) {
      if (error instanceof SpecError) throw error
      throw new SpecError(`${pointer}.options`, `copy ${destination} for tmpcopyup: ${messageOf(error)}`)
    }
  })
}

function fill(tmpfs: number, from: number, budget: CopyBudget): void {
  const to = openDirectory(`/proc/self/fd/${tmpfs}/.`)
  try {
    const { devices } = copyTree(from, to, budget)
    // A copy is not to open what the mount of the image keeps shut.
    if (devices && mountFlags(from) & MOUNT_ATTR_NODEV) mountSetattr(tmpfs, { set: MOUNT_ATTR_NODEV })
  } finally {
    close(to)
  }
}

/** The tmpfs is the host's: the options that name ids mean the container's all the same. */
function withHostIds(data: string, ids: IdMappings, pointer: string): string {
  return data.replace(/(?<=^|,)([ug]id)=(\d+)(?=,|$)/g, (option, name: 'uid' | 'gid', id: string) => {
    const host = toHostId(ids[`${name}s`], Number(id))
    if (host !== undefined) return `${name}=${host}`
    throw new SpecError(`${pointer}.options`, `"${option}": the id is not mapped in the user namespace`)
  })
}

function giveToRoot(fd: number, data: string, { uids, gids }: IdMappings): void {
  const owner = (name: string, mappings: IdMappings['uids']): number =>
    new RegExp(`(^|,)${name}=`).test(data) ? -1 : (toHostId(mappings, 0) ?? -1)
  changeOwner(`/proc/self/fd/${fd}/.`, owner('uid', uids), owner('gid', gids))
}

function openInImage(rootfs: number, destination: string): Fd | undefined {
  const path = components(destination).join('/') || '.'
  try {
    const found = openat2(rootfs, path, { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
    try {
      return openDirectory(`/proc/self/fd/${found}/.`)
    } finally {
      close(found)
    }
  } catch (error) {
    if (error instanceof SyscallError && error.errnoName === 'ENOENT') return undefined
    throw error
  }
}

function openDirectory(path: string): Fd {
  return openFile(path, O_RDONLY | O_DIRECTORY)
}
