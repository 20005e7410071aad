/** A user namespace that holds nothing but its id maps, for what takes these as an fd. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { type UserNamespaceProcess, withUserNamespace } from './with-user-namespace.ts'

export interface NewUserNamespace extends UserNamespaceProcess {
  /** Lines of uid_map and gid_map (user_namespaces(7)). */
  readonly uidMap: string
  readonly gidMap: string
}

/** fd of the namespace. The process that made it has ended and is reaped, also when this throws RuntimeError. */
export function makeUserNamespace({ uidMap, gidMap, ...process }: NewUserNamespace): number {
  return withUserNamespace(process, undefined, (pid) => {
    writeMap(`/proc/${pid}/uid_map`, uidMap)
    writeMap(`/proc/${pid}/gid_map`, gidMap)
    return openSync(`/proc/${pid}/ns/user`, 'r')
  })
}

/** In one write, as user_namespaces(7) demands. */
function writeMap(path: string, map: string): void {
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, map)
  } catch (cause) {
    throw new RuntimeError('io', `write ${path}: ${reasonOf(cause)}`, { cause })
  } finally {
    closeSync(fd)
  }
}
