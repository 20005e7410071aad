/** The container's tree while its mounts are not made yet, as far as create can look into it: the image, and what lies on it. */

import { O_PATH, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { readLink } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'

/** A path below the root, by its components, without links on the way. */
type Path = readonly string[]

/** A place in the tree, with those below it that lead to a mount. */
interface Place {
  readonly below: Map<string, Place>
  cover?: Cover
}

interface Cover {
  /** How many components its path has, and how many mounts came before it. */
  readonly depth: number
  readonly order: number
  /** The mount's root; undefined for a filesystem that init makes: it is empty, or the kernel's. */
  readonly fd: number | undefined
}

export class ContainerTree {
  readonly #rootfs: number
  /** The root. Of the mounts above a path the last one is what is seen there. */
  readonly #places: Place = { below: new Map() }
  #count = 0

  /** `rootfs` is an open directory. */
  constructor(rootfs: number) {
    this.#rootfs = rootfs
  }

  cover(at: Path, fd: number | undefined): void {
    let place = this.#places
    for (const name of at) {
      const next: Place = place.below.get(name) ?? { below: new Map() }
      place.below.set(name, next)
      place = next
    }
    place.cover = { depth: at.length, order: this.#count++, fd }
  }

  /** How many components of `path`, as it is written, lead to the mount on which it lies. */
  knownPrefix(path: Path): number {
    return this.#coverOf(path)?.depth ?? 0
  }

  /** Where `path` leads when it exists in the image and no mount is on its way; undefined when that is not known. */
  presentPath(path: Path): string | undefined {
    if (this.#coverOf(path)) return undefined
    const fd = open(this.#rootfs, path, RESOLVE_IN_ROOT)
    if (fd === undefined) return undefined
    try {
      // rootfs is attached nowhere: what the kernel calls the path begins at it.
      const present = readLink(`/proc/self/fd/${fd}`)
      return this.#coverOf(present.split('/').slice(1)) ? undefined : present
    } finally {
      close(fd)
    }
  }

  /** What the symlink `name` in `directory` says; undefined for anything else, or nothing. */
  linkAt(directory: Path, name: string): string | undefined {
    const cover = this.#coverOf(directory)
    if (cover && cover.fd === undefined) return undefined
    const fd =
      cover?.fd === undefined
        ? open(this.#rootfs, directory, RESOLVE_IN_ROOT)
        : open(cover.fd, directory.slice(cover.depth), RESOLVE_BENEATH)
    if (fd === undefined) return undefined
    try {
      return readLink(`/proc/self/fd/${fd}/${name}`)
    } catch {
      return undefined
    } finally {
      close(fd)
    }
  }

  #coverOf(path: Path): Cover | undefined {
    let place: Place | undefined = this.#places
    let last = place.cover
    for (const name of path) {
      place = place.below.get(name)
      if (!place) break
      const { cover } = place
      if (cover && (!last || cover.order > last.order)) last = cover
    }
    return last
  }
}

/** Undefined when it cannot be opened: init will say why. */
function open(root: number, path: Path, resolve: number): Fd | undefined {
  try {
    return openat2(root, path.join('/') || '.', { flags: O_PATH, resolve: resolve | RESOLVE_NO_MAGICLINKS })
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}
