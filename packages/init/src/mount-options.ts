/**
 * What the options of a mount in config.json mean (config.md, "Linux mount options"), for new mounts (flags and data
 * of mount(2)) and for binds (attributes of mount_setattr(2)) alike.
 */
import * as c from '@crio-lxc/core/abi/constants'

export interface MountOptions {
  /** MS_* for mount(2). */
  readonly flags: number
  /** MOUNT_ATTR_* that the options set or clear, for binds: of the top mount, and (`rro` and its kin) of all below it. */
  readonly attrSet: number
  readonly attrClear: number
  readonly recursiveSet: number
  readonly recursiveClear: number
  /** MS_SHARED and its kin with MS_REC, in the order given. */
  readonly propagation: readonly number[]
  /** What only the filesystem understands, joined by commas. */
  readonly data: string
  /** `bind` or `rbind` was given. */
  readonly bind: boolean
  readonly recursive: boolean
  readonly copyUp: boolean
  /** Change the mount that is there already. */
  readonly remount: boolean
  /** Options that ask something of a filesystem, which a bind cannot be given. */
  readonly ofFilesystem: readonly string[]
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

/** What mount_setattr(2) can set. */
const isAttribute = (name: string): boolean =>
  name in accessTimes || (setters[name]?.[1] ?? clearers[name]?.[1] ?? 0) !== 0

/** The idmap options are a matter of core/oci/id-mapped-mounts.ts, together with the mappings. */
const idmaps = ['idmap', 'ridmap']
const others = ['bind', 'rbind', 'defaults', 'remount', 'tmpcopyup', ...idmaps]

/** Every option that is understood, sorted; what else is in a list goes to the filesystem as it is. */
export function mountOptionNames(): string[] {
  const flags = [setters, clearers, accessTimes].flatMap((table) => Object.keys(table))
  const recursive = flags.filter(isAttribute).map((name) => `r${name}`)
  return [...flags, ...recursive, ...Object.keys(propagations), ...others].sort()
}

/** The propagation that rootfsPropagation names, with MS_REC; 0 for none. */
export function parsePropagation(name: string): number {
  return rowOf(propagations, name) ?? 0
}

/** Not what every object inherits: an option may be called "constructor". */
function rowOf<T>(table: Readonly<Record<string, T>>, option: string): T | undefined {
  return Object.hasOwn(table, option) ? table[option] : undefined
}

export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0
  let attrSet = 0
  let attrClear = 0
  let recursiveSet = 0
  let recursiveClear = 0
  let remount = false
  let bind = false
  let recursive = false
  let copyUp = false
  const propagation: number[] = []
  const data: string[] = []
  const ofFilesystem: string[] = []
  for (const option of options) {
    // A new filesystem has nothing below it, so there the recursive form is the plain one.
    const recurses = option.startsWith('r') && isAttribute(option.slice(1))
    const name = recurses ? option.slice(1) : option
    const set = rowOf(setters, name)
    const clear = rowOf(clearers, name)
    const accessTime = rowOf(accessTimes, name)
    const change = rowOf(propagations, option)
    const [toSet, toClear] = accessTime ? [accessTime[1], c.MOUNT_ATTR__ATIME] : [set?.[1] ?? 0, clear?.[1] ?? 0]
    if (recurses) {
      recursiveSet = (recursiveSet & ~toClear) | toSet
      recursiveClear = accessTime ? recursiveClear | toClear : (recursiveClear & ~toSet) | toClear
    } else {
      attrSet = (attrSet & ~toClear) | toSet
      attrClear = accessTime ? attrClear | toClear : (attrClear & ~toSet) | toClear
    }
    if (set) {
      flags |= set[0]
      if (set[1] === 0 && option !== 'silent') ofFilesystem.push(option)
    } else if (clear) flags &= ~clear[0]
    else if (accessTime) flags = (flags & ~(c.MS_RELATIME | c.MS_NOATIME | c.MS_STRICTATIME)) | accessTime[0]
    else if (change !== undefined) propagation.push(change)
    else if (option === 'bind' || option === 'rbind') {
      bind = true
      recursive ||= option === 'rbind'
    } else if (option === 'tmpcopyup') copyUp = true
    else if (option === 'remount') remount = true
    else if (option !== 'defaults' && option !== '' && !idmaps.includes(option)) data.push(option)
  }
  return {
    flags,
    attrSet,
    attrClear,
    recursiveSet,
    recursiveClear,
    propagation,
    data: data.join(','),
    bind,
    recursive,
    copyUp,
    remount,
    ofFilesystem: [...ofFilesystem, ...data],
  }
}
