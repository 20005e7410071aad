/** A user namespace that holds nothing but its id maps, for what takes these as an fd. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { close, type Fd, write } from '@crio-lxc/core/sys/fd'
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, openFile } from '@crio-lxc/core/sys/files'
import { type UserNamespaceProcess, withUserNamespace } from './with-user-namespace.ts'

export interface NewUserNamespace extends UserNamespaceProcess {
  /** Lines of uid_map and gid_map (user_namespaces(7)). */
  readonly uidMap: string
  readonly gidMap: string
}

/** fd of the namespace. The process that made it has ended and is reaped, also when this throws RuntimeError. */
export function makeUserNamespace({ uidMap, gidMap, ...process }: NewUserNamespace): Fd {
  return withUserNamespace(process, undefined, (pid) => {
    writeMap(`/proc/${pid}/uid_map`, uidMap)
    writeMap(`/proc/${pid}/gid_map`, gidMap)
    return openFile(`/proc/${pid}/ns/user`, O_RDONLY)
  })
}

/** In one write, as user_namespaces(7) demands. */
function writeMap(path: string, map: string): void {
  const fd = openFile(path, O_WRONLY | O_CREAT | O_TRUNC)
  try {
    write(fd, map)
  } catch (cause) {
    throw new RuntimeError('io', `write ${path}: ${reasonOf(cause)}`, { cause })
  } finally {
    close(fd)
  }
}
