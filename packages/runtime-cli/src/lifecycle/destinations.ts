/**
 * Where mounts go when a symlink of the image leads to what is not there yet, such as /var/run to a /run that nobody has
 * made: init makes what lacks, but a system call that makes a directory follows no link. Only a wish is computed here:
 * init resolves it again, below the root, so an image that changes meanwhile gets an error and nothing else.
 */
import { closeSync, readlinkSync } from 'node:fs'
import { O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { openat2 } from '@crio-lxc/core/sys/libc'
import { components, isInProc } from '@crio-lxc/init/inside-root'

/** path_resolution(7): the kernel follows as many. */
const MAX_LINKS = 40

/**
 * `mounts` with destinations that init can make; `rootfs` is an open directory. Throws SpecError for one that symlinks of the
 * image put on /proc or below it. What is written so, and where procfs and sysfs go, stays as it is.
 */
export function resolveDestinations(mounts: readonly Mount[], rootfs: number): readonly Mount[] {
  return mounts.map((mount, index) => {
    const { destination: written, type } = mount
    if (isInProc(written) || type === 'proc' || type === 'sysfs') return mount
    const field = `mounts[${index}].destination`
    const present = presentPath(rootfs, written)
    const destination = present === undefined ? resolveMissing(written, rootfs, field) : written
    if (isInProc(present ?? destination))
      throw new SpecError(field, `${written} cannot be mounted: by symbolic links of the image it leads into /proc`)
    return destination === written ? mount : { ...mount, destination }
  })
}

/** `path` itself when no symlink is on its way. */
function resolveMissing(path: string, rootfs: number, field: string): string {
  const left = components(path)
  const done: string[] = []
  let links = 0
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '..') {
      done.pop()
      continue
    }
    done.push(name)
    const target = readLink(rootfs, done.slice(0, -1).join('/') || '.', name)
    if (target === undefined) continue
    if (++links > MAX_LINKS) throw new SpecError(field, `${path} leads through too many symbolic links of the image`)
    done.pop()
    if (target.startsWith('/')) done.length = 0
    left.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'))
  }
  return links === 0 ? path : `/${done.join('/')}`
}

/** Where `path` leads when it exists. */
function presentPath(rootfs: number, path: string): string | undefined {
  const fd = open(rootfs, components(path).join('/') || '.')
  if (fd === undefined) return undefined
  try {
    // rootfs is attached nowhere: what the kernel calls the path begins at it.
    return readlinkSync(`/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

/** What the symlink `name` in `directory` says; undefined for anything else, or nothing. */
function readLink(rootfs: number, directory: string, name: string): string | undefined {
  const fd = open(rootfs, directory)
  if (fd === undefined) return undefined
  try {
    return readlinkSync(`/proc/self/fd/${fd}/${name}`)
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** Undefined when it cannot be opened: init will say why. */
function open(rootfs: number, path: string): number | undefined {
  try {
    return openat2(rootfs, path, { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}
