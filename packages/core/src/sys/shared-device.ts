/**
 * Memory devices (null, zero, full and their kin) among the descriptors of a container. Their nodes are the host's, and who
 * holds one may change its mode and owner; so a container gets the same device by a node that nobody else has.
 */

import { Struct } from '../abi/bytes.ts'
import {
  AT_FDCWD,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  makedev,
  O_CLOEXEC,
  O_NOCTTY,
  O_PATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFCHR,
} from '../abi/constants.ts'
import { OPEN_HOW_BYTES, OPEN_HOW_FLAGS, OPEN_HOW_RESOLVE } from '../abi/layouts.ts'
import { close, type Fd } from './fd.ts'
import { type FileStatus, fstat, fstatAsKnown, makeDirectory, makeNode, O_WRONLY, openFile } from './files.ts'
import { newMount } from './mount.ts'
import { changeMode } from './owner-and-mode.ts'
import { attempt, call } from './syscall.ts'

/** Those that are everybody's: the names under which programs expect to find their descriptors, and the minors. */
const MAJOR = 1
const minors = new Map([
  ['null', 3],
  ['zero', 5],
  ['full', 7],
  ['random', 8],
  ['urandom', 9],
])
const F_GETFL = 3
const O_ACCMODE = 3

export interface ReplaceOptions {
  /** linux.mountLabel, or empty. */
  readonly label: string
  /** O_PATH fd of the root of a container that runs: its own node will do. */
  readonly root?: number | undefined
}

/** What a descriptor of a memory device is. */
export interface MemoryDevice {
  /** Below /dev. */
  readonly name: string
  readonly major: number
  readonly minor: number
  /** O_RDONLY and its kin. */
  readonly access: number
}

/** undefined when `fd` is something else. */
export function memoryDevice(fd: number, stat = fstat(fd)): MemoryDevice | undefined {
  if (!stat.isCharacterDevice()) return undefined
  for (const [name, minor] of minors) {
    if (stat.rdev !== makedev(MAJOR, minor)) continue
    const flags = call('fcntl', [fd, F_GETFL, 0], () => `fcntl(${fd}, F_GETFL)`)
    return { name, major: MAJOR, minor, access: flags & O_ACCMODE }
  }
  return undefined
}

/** Makes `fd` a descriptor of a node that no other container has, if it is a memory device. */
export function replaceDevice(fd: number, { label, root }: ReplaceOptions): void {
  const stat = fstat(fd)
  const found = memoryDevice(fd, stat)
  if (!found) return
  const { name, access } = found
  const there = root === undefined ? undefined : openNodeIn(root, name, { access, than: stat })
  const own = there ?? openOwnNode(name, { device: stat.rdev, access, label })
  // Standard descriptors are inherited as they are.
  const inherited = fd > 2 ? O_CLOEXEC : 0
  call('dup3', [own, fd, inherited], () => `dup3(${own}, ${fd})`)
  close(own)
}

/** The null device for writing, by a node of its own. */
export function openOwnNull(): Fd {
  const fd = openFile('/dev/null', O_WRONLY)
  replaceDevice(fd, { label: '' })
  return fd
}

/**
 * The node of the same device in the container's /dev, if it has another one `than` the caller: to make a mount for one node
 * and to give it up are two waits of the kernel's. Whatever the container has put there answers from the kernel's caches or
 * not at all, so that none of it can hold the runtime up; and nothing else is opened than what was looked at.
 */
function openNodeIn(
  root: number,
  name: string,
  { access, than }: { access: number; than: FileStatus },
): Fd | undefined {
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED
  const how = new Struct(OPEN_HOW_BYTES).set64(OPEN_HOW_FLAGS, O_PATH | O_CLOEXEC).set64(OPEN_HOW_RESOLVE, resolve)
  const found = attempt('openat2', root, `dev/${name}`, how, how.length) as Fd
  if (found < 0) return undefined
  try {
    const stat = fstatAsKnown(found)
    if (!stat.isCharacterDevice() || stat.rdev !== than.rdev || stat.identity === than.identity) return undefined
    const node = attempt('openat', AT_FDCWD, `/proc/self/fd/${found}`, access | O_NOCTTY | O_CLOEXEC, 0) as Fd
    return node < 0 ? undefined : node
  } finally {
    close(found)
  }
}

interface OwnNode {
  readonly device: number
  /** O_RDONLY and its kin. */
  readonly access: number
  readonly label: string
}

function openOwnNode(name: string, { device, access, label }: OwnNode): Fd {
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
  // Twice what there is, for since Linux 6.6 the labels of a security module take room of this limit as well.
  const parameters = ['mode=755', 'nr_blocks=1', 'nr_inodes=6']
  const tree = newMount({ type: 'tmpfs', source: 'tmpfs', context: label, parameters, attributes })
  try {
    const directory = `/proc/self/fd/${tree}/dev`
    const path = `${directory}/${name}`
    makeDirectory(directory, 0o755)
    makeNode(path, S_IFCHR | 0o600, device)
    changeMode(path, 0o666)
    return openFile(path, access | O_NOCTTY)
  } finally {
    close(tree)
  }
}
