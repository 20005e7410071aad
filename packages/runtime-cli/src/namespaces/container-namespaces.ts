/** The namespaces of a running container, for a process of the host that is to enter them. */

import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { isAlive, type ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import type { JoinedNamespace } from '@crio-lxc/core/plan/container-entry'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { fstat, O_RDONLY, openFile, stat, unlessMissing } from '@crio-lxc/core/sys/files'
import { owningUserNamespace } from '@crio-lxc/core/sys/process'
import { namespaceKinds } from './namespaces.ts'

const types = Object.keys(namespaceKinds) as NamespaceType[]

/**
 * Opens every namespace in which a process is not with this one; what is entered is what was looked at. `fds` closes them;
 * `thread` is the directory below /proc of one that still runs. Throws RuntimeError when the process has ended: it is in no namespace then, and who enters none stays on the
 * host; and when it has a mount namespace whose owner may do more there than who enters it knows.
 */
export function openContainerNamespaces(
  init: ProcessIdentity,
  fds: FdScope,
  thread = `/proc/${init.pid}`,
): JoinedNamespace[] {
  const joined = types.flatMap((type) => {
    const { file, flag } = namespaceKinds[type]
    const own = unlessMissing(() => stat(`/proc/self/ns/${file}`))
    if (!own) return []
    const fd = fds.keep(openOf(init, `${thread}/ns/${file}`))
    return fstat(fd).ino === own.ino ? [] : [{ type, flag, fd }]
  })
  // Only now: alive at the end, it has been the one that was looked at.
  if (!isAlive(init)) throw ended(init)
  checkOwner(joined)
  return joined
}

/** An fd of one of them, whether or not it is this process's. Throws RuntimeError when the process has ended. */
export function openContainerNamespace(init: ProcessIdentity, type: NamespaceType): Fd {
  const fd = openOf(init, `/proc/${init.pid}/ns/${namespaceKinds[type].file}`)
  if (isAlive(init)) return fd
  close(fd)
  throw ended(init)
}

/** Whether a thread, a directory below /proc, still is in a namespace that was opened. It never comes back to a user namespace that it has left. */
export function isStillIn(thread: string, { type, fd }: JoinedNamespace): boolean {
  const now = unlessMissing(() => stat(`${thread}/ns/${namespaceKinds[type].file}`))
  return now?.ino === fstat(fd).ino
}

function openOf(init: ProcessIdentity, path: string): Fd {
  try {
    return openFile(path, O_RDONLY)
  } catch (error) {
    if (!isAlive(init)) throw ended(init)
    throw new RuntimeError('io', `open ${path}: ${reasonOf(error)}`)
  }
}

function ended({ pid }: ProcessIdentity): RuntimeError {
  return new RuntimeError('wrong-state', `${phrase.notRunning}: init, pid ${pid}, has ended`)
}

/**
 * Whoever has made a user namespace of its own is almighty in a mount namespace that belongs to it: nobody enters that with
 * more than the other's privileges. It belongs to the user namespace that is entered, or to the one that this process is in.
 */
function checkOwner(joined: readonly JoinedNamespace[]): void {
  const of = (type: NamespaceType): JoinedNamespace | undefined => joined.find((each) => each.type === type)
  const mount = of('mount')
  if (!mount) return
  const owner = owningUserNamespace(mount.fd)
  try {
    const { ino } = fstat(owner)
    const user = of('user')
    if (user && fstat(user.fd).ino === ino) return
    if (stat('/proc/self/ns/user').ino === ino) return
  } finally {
    close(owner)
  }
  throw new RuntimeError(
    'wrong-state',
    'init is changing its namespaces, or has a mount namespace of others: try again',
  )
}
