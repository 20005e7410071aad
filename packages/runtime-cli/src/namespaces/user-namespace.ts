/** Whose ids the container's are. */

import { phrase } from '@crio-lxc/core/errors/codes'
import { messageOf, RuntimeError, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { isAlive, type ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { checkMappedUser, type IdMappings, parseMap, sameMappings, toHostId } from '@crio-lxc/core/oci/id-mappings'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { JoinedNamespace } from '@crio-lxc/core/plan/container-entry'
import { readText } from '@crio-lxc/core/sys/files'
import { isStillIn } from './container-namespaces.ts'
import type { OpenNamespaces } from './plan/open-namespaces.ts'
import { type UserNamespaceProcess, withUserNamespace } from './with-user-namespace.ts'

export interface UserNamespaceContext extends UserNamespaceProcess {
  readonly namespaces: OpenNamespaces
}

/**
 * The ids of the container's user namespace, new or joined; undefined when it has the runtime's. Throws a SpecError when a
 * joined one is not what config.json says of it, or has no root or not the process's ids.
 */
export function userNamespaceOf(spec: Spec, context: UserNamespaceContext): IdMappings | undefined {
  const { created, joined } = context.namespaces
  const { uidMappings: uids = [], gidMappings: gids = [], namespaces = [] } = spec.linux ?? {}
  const descriptor = joined.get('user')
  if (!created.has('user') && descriptor === undefined) return undefined
  // A mount namespace of others is no copy, so the flags of the container's mounts would not be locked in it.
  if (!created.has('mount'))
    throw new SpecError('linux.namespaces', 'a user namespace needs a mount namespace of its own: leave out its path')
  if (descriptor === undefined) return { uids, gids }
  const pointer = `linux.namespaces[${namespaces.findIndex(({ type }) => type === 'user')}].path`
  const found = readJoined(descriptor, pointer, context)
  // containerd and CRI-O give both.
  const difference = `are not those of the user namespace that ${pointer} names: leave them out`
  if (uids.length > 0 && !sameMappings(uids, found.uids)) throw new SpecError('linux.uidMappings', difference)
  if (gids.length > 0 && !sameMappings(gids, found.gids)) throw new SpecError('linux.gidMappings', difference)
  if (toHostId(found.uids, 0) === undefined || toHostId(found.gids, 0) === undefined)
    throw new SpecError(pointer, 'the user namespace has no root: without one nothing can be set up there')
  checkMappedUser(spec.process.user, found)
  return found
}

/** The ids of the container with this init, when its user namespace is among `namespaces`, those it has not with the runtime. */
export function userNamespaceOfInit(
  init: ProcessIdentity,
  namespaces: readonly JoinedNamespace[],
  thread: string,
): IdMappings | undefined {
  const user = namespaces.find(({ type }) => type === 'user')
  if (!user) return undefined
  const maps = readMaps(init.pid)
  if (!isStillIn(thread, user)) throw new RuntimeError('wrong-state', 'init is changing its user namespace: try again')
  // Only now: alive at the end, it has been the one that was looked at.
  if (isAlive(init)) return maps
  throw new RuntimeError('wrong-state', `${phrase.notRunning}: init, pid ${init.pid}, has ended`)
}

function readMaps(pid: number): IdMappings {
  return { uids: parseMap(readOf(pid, 'uid_map')), gids: parseMap(readOf(pid, 'gid_map')) }
}

function readOf(pid: number, file: string): string {
  return readText(`/proc/${pid}/${file}`).trim()
}

/** The ids by way of a process that joins, because a namespace's path need not lead to a process. */
function readJoined(namespace: number, pointer: string, process: UserNamespaceProcess): IdMappings {
  try {
    return withUserNamespace(process, namespace, (pid) => {
      // The runtime's groups could not be taken away there, and liblxc does not go on with them.
      if (readOf(pid, 'setgroups') === 'deny')
        throw new RuntimeError('unsupported', 'the user namespace denies setgroups(2): use one that root has made')
      return readMaps(pid)
    })
  } catch (cause) {
    throw new SpecError(pointer, messageOf(cause))
  }
}
