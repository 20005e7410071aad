/**
 * What the options of a mount in config.json mean (config.md, "Linux mount options"), for new mounts (flags and data
 * of mount(2)) and for binds (attributes of mount_setattr(2)) alike.
 */
import * as c from '@crio-lxc/core/abi/constants'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'

export interface MountOptions {
  /** MS_* for mount(2). */
  readonly flags: number
  /** MOUNT_ATTR_* that the options set or clear, for binds. */
  readonly attrSet: number
  readonly attrClear: number
  /** MS_SHARED and its kin with MS_REC, in the order given. */
  readonly propagation: readonly number[]
  /** What only the filesystem understands, joined by commas. */
  readonly data: string
  /** `bind` or `rbind` was given. */
  readonly bind: boolean
  readonly recursive: boolean
  readonly copyUp: boolean
}

type Flag = readonly [flag: number, attr: number]

const setters: Readonly<Record<string, Flag>> = {
  ro: [c.MS_RDONLY, c.MOUNT_ATTR_RDONLY],
  nosuid: [c.MS_NOSUID, c.MOUNT_ATTR_NOSUID],
  nodev: [c.MS_NODEV, c.MOUNT_ATTR_NODEV],
  noexec: [c.MS_NOEXEC, c.MOUNT_ATTR_NOEXEC],
  nodiratime: [c.MS_NODIRATIME, c.MOUNT_ATTR_NODIRATIME],
  nosymfollow: [c.MS_NOSYMFOLLOW, c.MOUNT_ATTR_NOSYMFOLLOW],
  sync: [c.MS_SYNCHRONOUS, 0],
  dirsync: [c.MS_DIRSYNC, 0],
  mand: [c.MS_MANDLOCK, 0],
  acl: [c.MS_POSIXACL, 0],
  silent: [c.MS_SILENT, 0],
  iversion: [c.MS_I_VERSION, 0],
  lazytime: [c.MS_LAZYTIME, 0],
}

const clearers: Readonly<Record<string, Flag>> = {
  rw: [c.MS_RDONLY, c.MOUNT_ATTR_RDONLY],
  suid: [c.MS_NOSUID, c.MOUNT_ATTR_NOSUID],
  dev: [c.MS_NODEV, c.MOUNT_ATTR_NODEV],
  exec: [c.MS_NOEXEC, c.MOUNT_ATTR_NOEXEC],
  diratime: [c.MS_NODIRATIME, c.MOUNT_ATTR_NODIRATIME],
  symfollow: [c.MS_NOSYMFOLLOW, c.MOUNT_ATTR_NOSYMFOLLOW],
  async: [c.MS_SYNCHRONOUS, 0],
  nomand: [c.MS_MANDLOCK, 0],
  noacl: [c.MS_POSIXACL, 0],
  loud: [c.MS_SILENT, 0],
  noiversion: [c.MS_I_VERSION, 0],
  nolazytime: [c.MS_LAZYTIME, 0],
}

/** The access-time modes exclude each other; `attr` is the value of the MOUNT_ATTR__ATIME field. */
const accessTimes: Readonly<Record<string, Flag>> = {
  relatime: [c.MS_RELATIME, c.MOUNT_ATTR_RELATIME],
  noatime: [c.MS_NOATIME, c.MOUNT_ATTR_NOATIME],
  strictatime: [c.MS_STRICTATIME, c.MOUNT_ATTR_STRICTATIME],
  atime: [0, c.MOUNT_ATTR_RELATIME],
  norelatime: [0, c.MOUNT_ATTR_RELATIME],
  nostrictatime: [0, c.MOUNT_ATTR_RELATIME],
}

const propagations: Readonly<Record<string, number>> = {
  private: c.MS_PRIVATE,
  shared: c.MS_SHARED,
  slave: c.MS_SLAVE,
  unbindable: c.MS_UNBINDABLE,
  rprivate: c.MS_PRIVATE | c.MS_REC,
  rshared: c.MS_SHARED | c.MS_REC,
  rslave: c.MS_SLAVE | c.MS_REC,
  runbindable: c.MS_UNBINDABLE | c.MS_REC,
}

const recursiveAttribute =
  /^r(ro|rw|suid|nosuid|dev|nodev|exec|noexec|diratime|nodiratime|relatime|norelatime|noatime|atime|strictatime|nostrictatime|symfollow|nosymfollow)$/
const unsupported = new Set(['idmap', 'ridmap', 'remount'])

/** The propagation that rootfsPropagation names, with MS_REC; 0 for none. */
export function parsePropagation(name: string): number {
  return rowOf(propagations, name) ?? 0
}

/** Not what every object inherits: an option may be called "constructor". */
function rowOf<T>(table: Readonly<Record<string, T>>, option: string): T | undefined {
  return Object.hasOwn(table, option) ? table[option] : undefined
}

/** Throws SpecError for an option that is not supported; `pointer` is the mount's field. */
export function parseMountOptions(options: readonly string[], pointer: string): MountOptions {
  let flags = 0
  let attrSet = 0
  let attrClear = 0
  let bind = false
  let recursive = false
  let copyUp = false
  const propagation: number[] = []
  const data: string[] = []
  for (const option of options) {
    const set = rowOf(setters, option)
    const clear = rowOf(clearers, option)
    const accessTime = rowOf(accessTimes, option)
    const change = rowOf(propagations, option)
    if (set) {
      flags |= set[0]
      attrSet |= set[1]
      attrClear &= ~set[1]
    } else if (clear) {
      flags &= ~clear[0]
      attrSet &= ~clear[1]
      attrClear |= clear[1]
    } else if (accessTime) {
      flags = (flags & ~(c.MS_RELATIME | c.MS_NOATIME | c.MS_STRICTATIME)) | accessTime[0]
      attrSet = (attrSet & ~c.MOUNT_ATTR__ATIME) | accessTime[1]
      attrClear |= c.MOUNT_ATTR__ATIME
    } else if (change !== undefined) propagation.push(change)
    else if (option === 'bind' || option === 'rbind') {
      bind = true
      recursive ||= option === 'rbind'
    } else if (option === 'tmpcopyup') copyUp = true
    else if (unsupported.has(option) || recursiveAttribute.test(option))
      throw new SpecError(`${pointer}.options`, `the mount option "${option}" is not supported yet: remove it`)
    else if (option !== 'defaults' && option !== '') data.push(option)
  }
  return { flags, attrSet, attrClear, propagation, data: data.join(','), bind, recursive, copyUp }
}
