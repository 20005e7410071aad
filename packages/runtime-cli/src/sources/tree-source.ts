/**
 * Paths of the host that lie in the rootfs. runc mounts the rootfs where it is and the list on top of it, so a source below
 * it shows what earlier mounts have brought there, and a destination may be written as the path that it has on the host.
 */
import { normalizePath } from '@crio-lxc/core/abi/path'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import { components } from '@crio-lxc/init/inside-root'

/** The spec with destinations below `rootfs`, an absolute path, as the paths that they are in the container. */
export function withDestinationsInside(spec: Spec, rootfs: string): Spec {
  const inside = `${normalizePath(rootfs)}/`
  if (inside === '//' || !spec.mounts?.some(({ destination }) => destination.startsWith(inside))) return spec
  const mounts = spec.mounts.map((mount) =>
    mount.destination.startsWith(inside)
      ? { ...mount, destination: mount.destination.slice(inside.length - 1) }
      : mount,
  )
  return { ...spec, mounts }
}

/** Where the mounts of a list are, one after the other, as their destinations are written. */
export class MountPoints {
  readonly #inside: string
  readonly #points = new Set<string>()
  /** Of all points, what lies above them. */
  readonly #above = new Set<string>()

  /** `rootfs` is an absolute path. */
  constructor(rootfs: string) {
    this.#inside = `${normalizePath(rootfs)}/`
  }

  add({ destination }: Mount): void {
    const parts = components(destination)
    this.#points.add(pathOf(parts))
    for (let depth = 1; depth < parts.length; depth++) this.#above.add(pathOf(parts.slice(0, depth)))
  }

  /**
   * The path in the container of a bind's source, `path` on the host, when a mount lies on it or above it, or for a
   * recursive bind below it; else undefined: the source is the host's.
   */
  sourceInTree(path: string, { recursive }: { recursive: boolean }): string | undefined {
    const absolute = normalizePath(path)
    if (this.#points.size === 0 || !absolute.startsWith(this.#inside)) return undefined
    const parts = components(absolute.slice(this.#inside.length))
    const provided = parts.some((_, index) => this.#points.has(pathOf(parts.slice(0, index + 1))))
    return provided || (recursive && this.#above.has(pathOf(parts))) ? pathOf(parts) : undefined
  }
}

function pathOf(parts: readonly string[]): string {
  return `/${parts.join('/')}`
}
