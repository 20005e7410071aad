/** Mounts that are attached nowhere, and paths that are resolved below a directory: mount_setattr(2), fsopen(2), openat2(2). */

import { Struct } from '../abi/bytes.ts'
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MS_PRIVATE,
  MS_REC,
  O_CLOEXEC,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import {
  MOUNT_ATTR_BYTES,
  MOUNT_ATTR_CLR,
  MOUNT_ATTR_PROPAGATION,
  MOUNT_ATTR_SET,
  MOUNT_ATTR_USERNS_FD,
  OPEN_HOW_BYTES,
  OPEN_HOW_FLAGS,
  OPEN_HOW_RESOLVE,
} from '../abi/layouts.ts'
import { close, type Fd } from './fd.ts'
import { attempt, call, checked } from './syscall.ts'

/** EAGAIN: something was renamed or mounted somewhere while ".." was resolved, and the kernel leaves it to us to try again. */
const OPENAT2_TRIES = 128

/** openat2(2); `flags` get O_CLOEXEC. */
export function openat2(dirfd: number, path: string, { flags, resolve }: { flags: number; resolve: number }): Fd {
  const how = new Struct(OPEN_HOW_BYTES).set64(OPEN_HOW_FLAGS, flags | O_CLOEXEC).set64(OPEN_HOW_RESOLVE, resolve)
  const text = (): string => `openat2(${dirfd}, ${JSON.stringify(path)})`
  for (let tries = 1; ; tries++) {
    const result = attempt('openat2', dirfd, path, how, how.length)
    if (result !== -errnoTable.EAGAIN[0] || tries === OPENAT2_TRIES) return checked(result, text) as Fd
  }
}

/** open_tree(2): a detached copy of the mount at `path` below `dirfd` ("" for `dirfd` itself), CLOEXEC. */
export function cloneTree(dirfd: number, path: string, { recursive }: { recursive: boolean }): Fd {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path === '' ? AT_EMPTY_PATH : 0) | (recursive ? AT_RECURSIVE : 0)
  return call('open_tree', [dirfd, path, flags], () => `open_tree(${dirfd}, ${JSON.stringify(path)})`) as Fd
}

export interface MountAttributes {
  readonly set?: number
  readonly clear?: number
  readonly propagation?: number
  readonly recursive?: boolean
  /** fd of the user namespace whose maps MOUNT_ATTR_IDMAP takes. */
  readonly userNamespace?: number
}

/** mount_setattr(2) on the mount behind `fd`. */
export function mountSetattr(
  fd: number,
  { set = 0, clear = 0, propagation = 0, recursive = false, userNamespace = 0 }: MountAttributes,
): void {
  const attr = new Struct(MOUNT_ATTR_BYTES)
    .set64(MOUNT_ATTR_SET, set)
    .set64(MOUNT_ATTR_CLR, clear)
    .set64(MOUNT_ATTR_PROPAGATION, propagation)
    .set64(MOUNT_ATTR_USERNS_FD, userNamespace)
  call(
    'mount_setattr',
    [fd, '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr, attr.length],
    () => `mount_setattr(${fd}, set ${set}, clear ${clear}, propagation ${propagation})`,
  )
}

/** sizeof(struct statfs), and where its f_flags are. */
const STATFS_BYTES = 120
const STATFS_FLAGS = 80

/** ST_* (statvfs(3)) of the mount behind `fd`, which may be an O_PATH one. */
export function mountFlags(fd: number): number {
  const status = new Struct(STATFS_BYTES)
  call('fstatfs', [fd, status], () => `fstatfs(${fd})`)
  return Number(status.u64(STATFS_FLAGS))
}

/** A clone of a shared mount stays its peer: made private before anything is mounted below it. */
export function privateTree(dirfd: number, path: string, { recursive }: { recursive: boolean }): Fd {
  const fd = cloneTree(dirfd, path, { recursive })
  mountSetattr(fd, { propagation: MS_PRIVATE & ~MS_REC, recursive: true })
  return fd
}

export interface NewMount {
  readonly type: string
  readonly source: string
  /** SELinux context of everything on it; it may have commas. */
  readonly context?: string
  /** Options of the filesystem, each a flag or `key=value` of at most 255 bytes. */
  readonly parameters: readonly string[]
  /** MOUNT_ATTR_*. */
  readonly attributes: number
}

const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6

/** fsopen(2), fsconfig(2) and fsmount(2): a new filesystem that is attached nowhere, CLOEXEC. */
export function newMount({ type, source, context: label, parameters, attributes }: NewMount): Fd {
  const context = call('fsopen', [type, FSOPEN_CLOEXEC], () => `fsopen(${type})`) as Fd
  const config = (command: number, key: string | null, value: string | null): number =>
    call(
      'fsconfig',
      [context, command, key, value, 0],
      () => `fsconfig(${type}, ${key ?? 'create'}${value === null ? '' : `=${value}`})`,
    )
  try {
    config(FSCONFIG_SET_STRING, 'source', source)
    if (label) config(FSCONFIG_SET_STRING, 'context', label)
    for (const option of parameters) {
      const [key = '', ...value] = option.split('=')
      if (option.includes('=')) config(FSCONFIG_SET_STRING, key, value.join('='))
      else config(FSCONFIG_SET_FLAG, key, null)
    }
    config(FSCONFIG_CMD_CREATE, null, null)
    return call('fsmount', [context, FSMOUNT_CLOEXEC, attributes], () => `fsmount(${type})`) as Fd
  } finally {
    close(context)
  }
}
