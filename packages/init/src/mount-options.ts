/**
 * What the options of a mount in config.json mean (config.md, "Linux mount options"), for new mounts (flags and data
 * of mount(2)) and for binds (attributes of mount_setattr(2)) alike.
 */
import * as c from '@crio-lxc/core/abi/constants'

/** MOUNT_ATTR_* for mount_setattr(2), which clears first and then sets. */
export interface AttributeChange {
  readonly set: number
  readonly clear: number
}

export interface MountOptions {
  /** MS_* for mount(2). */
  readonly flags: number
  /** MOUNT_ATTR_* that say the same, for fsmount(2). */
  readonly attributes: number
  /** What a bind becomes itself; undefined when no flag is named: it keeps those of its source. */
  readonly ofBind: AttributeChange | undefined
  /** MOUNT_ATTR_* of `ofBind.clear` that are named (`rw`, `exec`), and the access times when one is. */
  readonly cleared: number
  /** What `rro` and its kin make of a bind and all below it, after that; undefined without them. */
  readonly ofTree: AttributeChange | undefined
  /** MS_SHARED and its kin with MS_REC, in the order given. */
  readonly propagation: readonly number[]
  /** What only the filesystem understands, joined by commas. */
  readonly data: string
  /** `rbind` was given. */
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

/** The access-time modes; `attr` is the value of the MOUNT_ATTR__ATIME field. */
const accessTimes: Readonly<Record<string, Flag>> = {
  relatime: [c.MS_RELATIME, c.MOUNT_ATTR_RELATIME],
  noatime: [c.MS_NOATIME, c.MOUNT_ATTR_NOATIME],
  strictatime: [c.MS_STRICTATIME, c.MOUNT_ATTR_STRICTATIME],
}

const noAccessTimes: Readonly<Record<string, Flag>> = {
  atime: [c.MS_NOATIME, c.MOUNT_ATTR_RELATIME],
  norelatime: [c.MS_RELATIME, c.MOUNT_ATTR_RELATIME],
  nostrictatime: [c.MS_STRICTATIME, c.MOUNT_ATTR_RELATIME],
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

const ACCESS_TIMES = c.MS_RELATIME | c.MS_NOATIME | c.MS_STRICTATIME | c.MS_NODIRATIME
/** MOUNT_ATTR_* of a mount but for the access times. */
const OF_MOUNT =
  c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOSUID | c.MOUNT_ATTR_NODEV | c.MOUNT_ATTR_NOEXEC | c.MOUNT_ATTR_NOSYMFOLLOW
/** MS_* of a filesystem, whatever is mounted of it. */
const OF_FILESYSTEM = c.MS_SYNCHRONOUS | c.MS_DIRSYNC | c.MS_MANDLOCK | c.MS_POSIXACL | c.MS_I_VERSION | c.MS_LAZYTIME

/** What mount_setattr(2) can set. */
const isAttribute = (name: string): boolean =>
  name in accessTimes || name in noAccessTimes || (setters[name]?.[1] ?? clearers[name]?.[1] ?? 0) !== 0

/** The idmap options are a matter of core/oci/id-mapped-mounts.ts, together with the mappings. */
const idmaps = ['idmap', 'ridmap']
const others = ['bind', 'rbind', 'defaults', 'remount', 'tmpcopyup', ...idmaps]

/** Every option that is understood, sorted; what else is in a list goes to the filesystem as it is. */
export function mountOptionNames(): string[] {
  const flags = [setters, clearers, accessTimes, noAccessTimes].flatMap((table) => Object.keys(table))
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

/** A flag that an option sets or clears; `recurses` is its recursive form. */
interface FlagOption {
  readonly name: string
  readonly recurses: boolean
  readonly set: Flag | undefined
  readonly clear: Flag | undefined
  readonly ofAccessTime: boolean
}

function flagOption(option: string): FlagOption | undefined {
  const recurses = option.startsWith('r') && isAttribute(option.slice(1))
  const name = recurses ? option.slice(1) : option
  const accessTime = rowOf(accessTimes, name)
  const noAccessTime = rowOf(noAccessTimes, name)
  const set = rowOf(setters, name) ?? accessTime
  const clear = rowOf(clearers, name) ?? noAccessTime
  if (!set && !clear) return undefined
  return { name, recurses, set, clear, ofAccessTime: (accessTime ?? noAccessTime) !== undefined }
}

export function parseMountOptions(options: readonly string[]): MountOptions {
  const flagOptions: FlagOption[] = []
  const propagation: number[] = []
  const data: string[] = []
  for (const option of options) {
    const flag = flagOption(option)
    const change = rowOf(propagations, option)
    if (flag) flagOptions.push(flag)
    else if (change !== undefined) propagation.push(change)
    else if (option !== '' && !others.includes(option)) data.push(option)
  }
  const plain = flagOptions.filter(({ recurses }) => !recurses)
  const flagsOfFilesystem = plain.filter(({ set }) => set && set[0] & OF_FILESYSTEM).map(({ name }) => name)
  // A new filesystem has nothing below it, so there the recursive form is the plain one.
  const flags = flagsOf(flagOptions)
  const ofBind = plain.length > 0 ? bindChange(flagsOf(plain)) : undefined
  return {
    flags,
    attributes: attributesOf(flags),
    ofBind,
    cleared: clearedBy(plain) | ((ofBind?.clear ?? 0) & ~OF_MOUNT),
    ofTree: treeChange(flagOptions.filter(({ recurses }) => recurses)),
    propagation,
    data: data.join(','),
    recursive: options.includes('rbind'),
    copyUp: options.includes('tmpcopyup'),
    remount: options.includes('remount'),
    ofFilesystem: [...flagsOfFilesystem, ...data],
  }
}

/** MS_* that are left when each option has had its turn. */
function flagsOf(options: readonly FlagOption[]): number {
  return options.reduce((flags, { set, clear }) => (flags & ~(clear?.[0] ?? 0)) | (set?.[0] ?? 0), 0)
}

/** MOUNT_ATTR_* that the last word on them clears. */
function clearedBy(options: readonly FlagOption[]): number {
  return options.reduce((attrs, { set, clear }) => (attrs & ~(set?.[1] ?? 0)) | (clear?.[1] ?? 0), 0)
}

/** What MS_REMOUNT with MS_BIND does with these flags (path_mount() of Linux): access times that none of them names stay. */
function bindChange(named: number): AttributeChange {
  const times = named & ACCESS_TIMES ? c.MOUNT_ATTR__ATIME | c.MOUNT_ATTR_NODIRATIME : 0
  return { set: attributesOf(named), clear: OF_MOUNT | times }
}

/** Only what is named changes; of the access times the last one counts. */
function treeChange(options: readonly FlagOption[]): AttributeChange | undefined {
  let [set, clear] = [0, 0]
  for (const { set: setter, clear: clearer, ofAccessTime } of options) {
    const toSet = setter?.[1] ?? 0
    const toClear = ofAccessTime ? c.MOUNT_ATTR__ATIME : (clearer?.[1] ?? 0)
    set = (set & ~toClear) | toSet
    clear = (clear & ~toSet) | toClear
  }
  return set | clear ? { set, clear } : undefined
}

/** MS_* as MOUNT_ATTR_*; where access times contradict each other, as mount(2) decides. */
function attributesOf(flags: number): number {
  const attributes = Object.values(setters).reduce((all, [flag, attr]) => (flags & flag ? all | attr : all), 0)
  if (flags & c.MS_STRICTATIME) return attributes | c.MOUNT_ATTR_STRICTATIME
  return flags & c.MS_NOATIME ? attributes | c.MOUNT_ATTR_NOATIME : attributes
}
