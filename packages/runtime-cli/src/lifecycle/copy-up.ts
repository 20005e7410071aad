/**
 * tmpcopyup: a tmpfs that begins with what the image has at its place. The copy is made on the host into a detached
 * tmpfs, from fds below the rootfs, and follows no symlink of the image.
 */
import {
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import {
  AT_FDCWD,
  MOUNT_ATTR_RDONLY,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '@crio-lxc/core/abi/constants'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { type IdMappings, toHostId } from '@crio-lxc/core/oci/id-mappings'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { mountSetattr, newMount, openat2 } from '@crio-lxc/core/sys/libc'
import { components } from '@crio-lxc/init/inside-root'
import { refuseOtherContext } from '@crio-lxc/init/mount-label'
import type { MountOptions } from '@crio-lxc/init/mount-options'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

export interface CopyUp {
  readonly options: MountOptions
  /** O_PATH fd of the rootfs. */
  readonly rootfs: number
  readonly pointer: string
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
  /** Of the container's user namespace. */
  readonly ids: IdMappings | undefined
}

/** fd of the detached tmpfs, filled. */
export function openTmpfsWithCopy(mount: Mount, { options, rootfs, pointer, label, ids }: CopyUp): number {
  const { destination, source } = mount
  const attributes = options.attributes & ~MOUNT_ATTR_RDONLY
  if (label) refuseOtherContext(options.data, pointer)
  const data = ids ? withHostIds(options.data, ids, pointer) : options.data
  const parameters = data.split(',').filter((option) => option !== '')
  const fd = newMount({ type: 'tmpfs', source: source || 'tmpfs', context: label, parameters, attributes })
  try {
    if (ids) giveToRoot(fd, options.data, ids)
    const from = openInImage(rootfs, destination)
    // Nothing in the image to copy: an empty tmpfs is what is asked for.
    if (from !== undefined) copyDirectory(from, openDirectory(`/proc/self/fd/${fd}/.`))
    if (options.attributes & MOUNT_ATTR_RDONLY) mountSetattr(fd, { set: MOUNT_ATTR_RDONLY })
    return fd
  } catch (error) {
    closeSync(fd)
    throw new SpecError(`${pointer}.options`, `copy ${destination} for tmpcopyup: ${messageOf(error)}`)
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
  chownSync(`/proc/self/fd/${fd}/.`, owner('uid', uids), owner('gid', gids))
}

function openInImage(rootfs: number, destination: string): number | undefined {
  const path = components(destination).join('/') || '.'
  try {
    const found = openat2(rootfs, path, { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
    try {
      return openDirectory(`/proc/self/fd/${found}/.`)
    } finally {
      closeSync(found)
    }
  } catch (error) {
    if (error instanceof SyscallError && error.errnoName === 'ENOENT') return undefined
    throw error
  }
}

/** Opened without following a link: what a name means can change while it is copied (CVE-2021-30465). */
function openDirectory(path: string): number {
  return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** Copies what `from` has into `to`, both open directories, and closes them. */
function copyDirectory(from: number, to: number): void {
  const source = `/proc/self/fd/${from}`
  const target = `/proc/self/fd/${to}`
  try {
    for (const name of readdirSync(source)) {
      const stat = lstatSync(`${source}/${name}`)
      if (stat.isSymbolicLink()) {
        symlinkSync(readlinkSync(`${source}/${name}`), `${target}/${name}`)
        lchownSync(`${target}/${name}`, stat.uid, stat.gid)
      } else if (stat.isDirectory()) {
        mkdirSync(`${target}/${name}`, 0o700)
        copyDirectory(openDirectory(`${source}/${name}`), openDirectory(`${target}/${name}`))
      } else if (stat.isFile()) copyFile(`${source}/${name}`, `${target}/${name}`)
    }
    copyOwner(from, to)
  } finally {
    closeSync(from)
    closeSync(to)
  }
}

function copyFile(source: string, target: string): void {
  const from = openFile(source)
  if (from === undefined) return
  try {
    const to = openSync(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      const buffer = Buffer.allocUnsafe(65536)
      for (let count = readSync(from, buffer); count > 0; count = readSync(from, buffer))
        writeSync(to, buffer, 0, count)
      copyOwner(from, to)
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
}

/** Undefined when it has become something else than a file since it was listed: opening a device would be an act of its own. */
function openFile(path: string): number | undefined {
  const found = openat2(AT_FDCWD, path, { flags: O_PATH | O_NOFOLLOW, resolve: 0 })
  try {
    return fstatSync(found).isFile() ? openSync(`/proc/self/fd/${found}`, O_RDONLY) : undefined
  } finally {
    closeSync(found)
  }
}

function copyOwner(from: number, to: number): void {
  const { uid, gid, mode } = fstatSync(from)
  fchownSync(to, uid, gid)
  fchmodSync(to, mode & 0o7777)
}
