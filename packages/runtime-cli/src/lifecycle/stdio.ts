import { fchownSync, fstatSync } from 'node:fs'
import { makedev } from '@crio-lxc/core/abi/constants'
import { type IdMappings, toHostId } from '@crio-lxc/core/oci/id-mappings'
import type { User } from '@crio-lxc/core/oci/spec'

const NULL_DEVICE = makedev(1, 3)

/**
 * Gives stdin, stdout and stderr to the container's user, so that /dev/stdout can be opened again inside. The null
 * device is the host's own and is left alone, and so is a terminal when the user is of a namespace that must not own any.
 */
export function fixStdio(user: User, namespace: IdMappings | undefined): void {
  const uid = namespace ? toHostId(namespace.uids, user.uid) : user.uid
  if (uid === undefined) return
  for (const fd of [0, 1, 2]) {
    try {
      const stat = fstatSync(fd)
      if (stat.uid === uid || (stat.isCharacterDevice() && (namespace || stat.rdev === NULL_DEVICE))) continue
      fchownSync(fd, uid, stat.gid)
    } catch (error) {
      // A closed fd has no owner; a read-only filesystem or a foreign owner keeps its own, and the fd works all the same.
      if (!['EBADF', 'EROFS', 'EPERM', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}
