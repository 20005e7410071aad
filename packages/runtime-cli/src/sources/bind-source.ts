/** The source of a bind mount: a detached clone of what lies at a path of the host, with the flags that it is to have. */

import { AT_FDCWD, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE } from '@crio-lxc/core/abi/constants'
import { lastClauseOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { fstat } from '@crio-lxc/core/sys/files'
import { cloneTree, mountFlags, mountSetattr } from '@crio-lxc/core/sys/mount'
import type { MountOptions } from '@crio-lxc/init/mount-options'
import type { DetachedMount } from '@crio-lxc/init/steps/mounts'

/** A detached mount with what its copy in a user namespace has to become. */
export type MountSource = DetachedMount & Pick<StagedMount, 'propagation'>

export interface BindContext {
  /** Of the mount: `mounts[3]`. */
  readonly pointer: string
  /**
   * The mount goes to a user namespace by way of a copy: the propagation is the copy's, because an unbindable mount could
   * not be copied, and what the host's mount forbids stays forbidden.
   */
  readonly staged: boolean
  /** Closes what is opened. */
  readonly fds: FdScope
}

/** Throws SpecError for a path that cannot be bound as the options ask. */
export function openBind(path: string, options: MountOptions, { pointer, staged, fds }: BindContext): MountSource {
  let fd: number
  try {
    fd = fds.keep(cloneTree(AT_FDCWD, path, { recursive: options.recursive }))
  } catch (cause) {
    const advice = codeOf(cause) === 'ENOENT' ? ': a bind mount needs a path that the host has' : ''
    throw new SpecError(`${pointer}.source`, `open ${path}: ${lastClauseOf(cause)}${advice}`)
  }
  try {
    const inherited = inheritedPropagation(options.propagation)
    const propagation = [...inherited, ...options.propagation]
    setPropagation(fd, staged ? inherited : propagation)
    const kept = staged ? mountFlags(fd) & LOCKED : 0
    refuseUnlocking(kept, { path, options, pointer })
    setAttributes(fd, options, kept)
    return { fd, directory: fstat(fd).isDirectory(), propagation }
  } catch (cause) {
    if (cause instanceof SpecError) throw cause
    throw new SpecError(`${pointer}.source`, `bind ${path} with its options: ${lastClauseOf(cause)}`)
  }
}

/** statvfs(3) and mount_setattr(2) have the same values for them. */
const lockedNames = [
  [1, 'ro'],
  [2, 'nosuid'],
  [4, 'nodev'],
  [8, 'noexec'],
] as const
/** What the kernel locks in a user namespace: a mount that has it keeps it, named or not (as runc's second remount). */
const LOCKED = lockedNames.reduce((all, [flag]) => all | flag, 0)

interface Unlocking {
  readonly path: string
  readonly options: MountOptions
  readonly pointer: string
}

function refuseUnlocking(kept: number, { path, options, pointer }: Unlocking): void {
  const refused = kept & (options.cleared | (options.ofTree?.clear ?? 0))
  if (refused === 0) return
  const names = lockedNames.filter(([flag]) => refused & flag).map(([, name]) => name)
  const advice = 'leave out the options that do, or mount it without on the host'
  throw new SpecError(
    `${pointer}.options`,
    `${path} is mounted ${names.join()} on the host, which a container in a user namespace cannot undo: ${advice}`,
  )
}

function setPropagation(fd: number, changes: readonly number[]): void {
  for (const change of changes) mountSetattr(fd, { propagation: change & ~MS_REC, recursive: (change & MS_REC) !== 0 })
}

function setAttributes(fd: number, { ofBind, ofTree }: MountOptions, kept: number): void {
  if (ofBind) mountSetattr(fd, { set: ofBind.set | kept, clear: ofBind.clear })
  if (ofTree) mountSetattr(fd, { ...ofTree, recursive: true })
}

/**
 * What a clone becomes before the wishes of the spec: a peer of the host's mount where it is to be shared (that is
 * what Bidirectional volumes are), a slave where it is to receive, private in every other case.
 */
function inheritedPropagation(propagation: readonly number[]): number[] {
  if (propagation.some((change) => change & MS_SHARED)) return []
  return [(propagation.some((change) => change & MS_SLAVE) ? MS_SLAVE : MS_PRIVATE) | MS_REC]
}
