/**
 * Memory devices (null, zero, full and their kin) among the descriptors of a container. Their nodes are the host's, and who
 * holds one may change its mode and owner; so a container gets the same device by a node that nobody else has.
 */
import { MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, makedev, O_CLOEXEC, O_NOCTTY, S_IFCHR } from '../abi/constants.ts'
import { close, type Fd } from './fd.ts'
import { changeMode, fstat, makeDirectory, makeNode, O_WRONLY, openFile } from './files.ts'
import { newMount } from './mount.ts'
import { call } from './syscall.ts'

/** Those that are everybody's, with the names under which programs expect to find their descriptors. */
const names = new Map([
  [makedev(1, 3), 'null'],
  [makedev(1, 5), 'zero'],
  [makedev(1, 7), 'full'],
  [makedev(1, 8), 'random'],
  [makedev(1, 9), 'urandom'],
])
const F_GETFL = 3
const O_ACCMODE = 3

/** Makes `fd` a descriptor of a node of its own if it is a memory device; `label` is linux.mountLabel, or empty. */
export function replaceDevice(fd: number, label: string): void {
  const stat = fstat(fd)
  const name = names.get(stat.rdev)
  if (name === undefined || !stat.isCharacterDevice()) return
  const flags = call('fcntl', [fd, F_GETFL, 0], () => `fcntl(${fd}, F_GETFL)`)
  const own = openOwnNode(name, { device: stat.rdev, access: flags & O_ACCMODE, label })
  // Standard descriptors are inherited as they are.
  const inherited = fd > 2 ? O_CLOEXEC : 0
  call('dup3', [own, fd, inherited], () => `dup3(${own}, ${fd})`)
  close(own)
}

/** The null device for writing, by a node of its own. */
export function openOwnNull(): Fd {
  const fd = openFile('/dev/null', O_WRONLY)
  replaceDevice(fd, '')
  return fd
}

interface OwnNode {
  readonly device: number
  /** O_RDONLY and its kin. */
  readonly access: number
  readonly label: string
}

function openOwnNode(name: string, { device, access, label }: OwnNode): Fd {
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
  const parameters = ['mode=755', 'nr_blocks=1', 'nr_inodes=3']
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
