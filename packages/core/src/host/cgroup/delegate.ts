/** Who owns the container's cgroup (config-linux.md, "Cgroup ownership"; cgroups(7), "Cgroup delegation: delegating a hierarchy"). */

import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { type IdMappings, toHostId } from '../../oci/id-mappings.ts'
import type { NamespaceType } from '../../oci/linux.ts'
import type { Spec } from '../../oci/spec.ts'
import { readText, stat } from '../../sys/files.ts'
import { changeOwner } from '../../sys/owner-and-mode.ts'
import { effectiveUid } from '../../sys/program.ts'
import { readMark } from './mark-cgroup.ts'
import type { CgroupLayout } from './plan/cgroup-layout.ts'

/** The list for a kernel that does not say which files go with a cgroup. */
const FALLBACK = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']

/** The host's uid that is to own the cgroup; undefined when it stays root's: on v1 delegation is not secure. */
export function cgroupOwner(
  { mounts = [], process }: Spec,
  { layout, created, ids }: { layout: CgroupLayout; created: ReadonlySet<NamespaceType>; ids: IdMappings | undefined },
): number | undefined {
  const uid = ids ? toHostId(ids.uids, process.user.uid) : process.user.uid
  if (!uid || layout.mode !== 'v2' || !created.has('cgroup')) return undefined
  const writable = mounts.some(
    ({ destination, type, options = [] }) =>
      (type === 'cgroup' || type === 'cgroup2') &&
      /^\/*sys\/fs\/cgroup\/*$/.test(destination) &&
      !options.includes('ro'),
  )
  return writable ? uid : undefined
}

/** Gives the cgroup `path` to `uid`, and those of its files with which a cgroup is divided. Throws RuntimeError `cgroup`. */
export function delegateCgroup({ hierarchies }: CgroupLayout, path: string, uid: number): void {
  for (const { mountPoint } of hierarchies) {
    const directory = mountPoint + path
    give(directory, uid)
    for (const file of delegatedFiles()) give(`${directory}/${file}`, uid)
  }
}

/**
 * Takes back a cgroup that a container before had been given: a mark says that it was one's of ours, and not made by its owner for
 * what is to be in it. Throws RuntimeError `cgroup`.
 */
export function takeCgroupBack(layout: CgroupLayout, path: string): void {
  if (layout.mode !== 'v2') return
  const own = effectiveUid()
  const isGiven = layout.hierarchies.some(({ mountPoint }) => stat(mountPoint + path).uid !== own)
  if (isGiven && readMark(layout, path) !== undefined) delegateCgroup(layout, path, own)
}

function give(path: string, uid: number): void {
  try {
    changeOwner(path, uid, -1)
  } catch (cause) {
    // Not every cgroup has every file of the list.
    if (codeOf(cause) === 'ENOENT') return
    throw new RuntimeError('cgroup', `give ${path} to uid ${uid}: ${reasonOf(cause)}`, { cause })
  }
}

function delegatedFiles(): string[] {
  try {
    return readText('/sys/kernel/cgroup/delegate').split('\n').filter(Boolean)
  } catch {
    return FALLBACK
  }
}
