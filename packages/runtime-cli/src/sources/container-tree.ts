/** The container's tree while its mounts are not made yet, as far as create can look into it: the image, and what lies on it. */

import { O_PATH, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { readLink } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'

/** A path below the root, by its components, without links on the way. */
type Path = readonly string[]

interface Cover {
  /** How many components its path has, and how many mounts came before it. */
  readonly depth: number
  readonly order: number
  /** The mount's root; undefined for a filesystem that init makes: it is empty, or the kernel's. */
  readonly fd: number | undefined
}

export class ContainerTree {
  readonly #rootfs: number
  /** By their paths. The last one that lies above a path is what is seen there. */
  readonly #covers = new Map<string, Cover>()
  #count = 0

  /** `rootfs` is an open directory. */
  constructor(rootfs: number) {
    this.#rootfs = rootfs
  }

  cover(at: Path, fd: number | undefined): void {
    this.#covers.set(at.join('/'), { depth: at.length, order: this.#count++, fd })
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
    let last = this.#covers.get('')
    let at = ''
    for (const [index, name] of path.entries()) {
      at = index === 0 ? name : `${at}/${name}`
      const cover = this.#covers.get(at)
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
