/**
 * Where mounts go when a symlink leads to what is not there yet, such as /var/run to a /run that nobody has made: init makes
 * what lacks, but a system call that makes a directory follows no link. The link may be the image's, or that of a volume
 * which an earlier mount brings. Only a wish is computed here: init resolves it again, below the root, so an image or a
 * volume that changes meanwhile gets an error and nothing else.
 */
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { PathCost } from '@crio-lxc/core/oci/path-cost'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { components, isInProc } from '@crio-lxc/init/inside-root'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import type { DetachedMount } from '@crio-lxc/init/steps/mounts'
import type { PlacedMount } from '@crio-lxc/init/steps/remount'
import { ContainerTree } from './container-tree.ts'

/** path_resolution(7): the kernel follows as many. */
const MAX_LINKS = 40
/** Components that PATH_MAX has room for. */
const LONGEST = 2048

export interface OpenTrees {
  /** The open directory. */
  readonly rootfs: number
  /** By index in the list: what create has opened for it. */
  readonly mounts: ReadonlyMap<number, DetachedMount>
}

/**
 * `mounts` with destinations that init can make. Throws SpecError for one that symlinks put on /proc or below it. What is
 * written so, and where procfs and sysfs go, stays as it is.
 */
export function resolveDestinations(
  mounts: readonly Mount[],
  { rootfs, mounts: opened }: OpenTrees,
): readonly PlacedMount[] {
  const tree = new ContainerTree(rootfs)
  // Of those that links lead elsewhere, which the document alone does not tell.
  const cost = new PathCost()
  const resolved = new Map<string, string>()
  return mounts.map((mount, index) => {
    const field = `mounts[${index}].destination`
    const { remount } = parseMountOptions(mount.options ?? [])
    const written = components(mount.destination).join('/')
    // A remount is of what an entry before it has put there, wherever a link leads by now.
    const destination = (remount ? resolved.get(written) : undefined) ?? resolveDestination(mount, tree, field)
    if (destination !== mount.destination) cost.add(destination, field)
    if (!remount) {
      tree.cover(components(destination), opened.get(index)?.fd)
      resolved.set(written, destination)
    }
    return destination === mount.destination ? mount : { ...mount, destination, written: mount.destination }
  })
}

function resolveDestination({ destination: written, type }: Mount, tree: ContainerTree, field: string): string {
  if (isInProc(written) || type === 'proc' || type === 'sysfs') return written
  const present = tree.presentPath(components(written))
  const destination = present === undefined ? resolveMissing(written, tree, field) : written
  if (isInProc(present ?? destination))
    throw new SpecError(field, `${written} cannot be mounted: by symbolic links it leads into /proc`)
  return destination
}

/** `path` itself when no symlink is on its way. */
function resolveMissing(path: string, tree: ContainerTree, field: string): string {
  const left = components(path)
  const done = left.splice(0, tree.knownPrefix(left))
  let links = 0
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '..') {
      done.pop()
      continue
    }
    const target = tree.linkAt(done, name)
    if (target === undefined) {
      done.push(name)
      continue
    }
    if (++links > MAX_LINKS) throw new SpecError(field, `${path} leads through too many symbolic links of the image`)
    if (target.startsWith('/')) done.length = 0
    if (done.length + left.length > LONGEST) throw new SpecError(field, `${path} leads to a path that is too long`)
    left.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'))
  }
  return links === 0 ? path : `/${done.join('/')}`
}
