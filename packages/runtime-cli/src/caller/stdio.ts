import { codeOf } from '@crio-lxc/core/errors/system-error'
import { type IdMappings, isMapped, toHostId } from '@crio-lxc/core/oci/id-mappings'
import type { User } from '@crio-lxc/core/oci/spec'
import { type FileStatus, fstat } from '@crio-lxc/core/sys/files'
import { changeOwnerOf } from '@crio-lxc/core/sys/owner-and-mode'
import { memoryDevice, replaceDevice } from '@crio-lxc/core/sys/shared-device'
import type { StdioDevice } from '@crio-lxc/init/steps/stdio'

export interface StdioContext {
  readonly namespace: IdMappings | undefined
  /** linux.mountLabel. */
  readonly label: string | undefined
  /** O_PATH fd of the root of a container that runs. */
  readonly root?: number
  /** Init replaces memory devices: they are returned and stay as they are. */
  readonly byInit?: boolean
}

/**
 * Gives stdin, stdout and stderr to the container's user, so that /dev/stdout can be opened again inside: pipes and sockets,
 * and a file as runc does. Devices are the host's own and keep their owner, terminals among them; so does a file of somebody
 * whom the user namespace does not know, as root of the namespace could not give it away either.
 */
export function fixStdio(
  user: User,
  { namespace, label = '', root, byInit = false }: StdioContext,
): readonly StdioDevice[] {
  const uid = namespace ? toHostId(namespace.uids, user.uid) : user.uid
  const left: StdioDevice[] = []
  for (const fd of [0, 1, 2]) {
    try {
      const stat = fstat(fd)
      const device = byInit ? memoryDevice(fd, stat) : undefined
      if (device) left.push({ fd, ...device })
      else if (stat.isCharacterDevice() || stat.isBlockDevice()) replaceDevice(fd, { label, root })
      else if (uid !== undefined && stat.uid !== uid && isGiven(stat, namespace)) changeOwnerOf(fd, uid, stat.gid)
    } catch (error) {
      // A closed fd has no owner; a read-only filesystem or a foreign owner keeps its own, and the fd works all the same.
      if (!['EBADF', 'EROFS', 'EPERM', 'EINVAL'].includes(codeOf(error) ?? '')) throw error
    }
  }
  return left
}

/** The memory devices among stdin, stdout and stderr of this process. */
export function stdioDevices(): StdioDevice[] {
  return [0, 1, 2].flatMap((fd) => {
    const device = unlessClosed(() => memoryDevice(fd, fstat(fd)))
    return device ? [{ fd, ...device }] : []
  })
}

function unlessClosed<Result>(use: () => Result): Result | undefined {
  try {
    return use()
  } catch (error) {
    if (codeOf(error) === 'EBADF') return undefined
    throw error
  }
}

function isGiven(stat: FileStatus, namespace: IdMappings | undefined): boolean {
  if (!namespace || stat.isFIFO() || stat.isSocket()) return true
  return isMapped(namespace.uids, stat.uid) && isMapped(namespace.gids, stat.gid)
}
