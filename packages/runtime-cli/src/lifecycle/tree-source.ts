/**
 * Paths of the host that lie in the rootfs. runc mounts the rootfs where it is and the list on top of it, so a source below
 * it shows what earlier mounts have brought there, and a destination may be written as the path that it has on the host.
 */
import { resolve } from 'node:path'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import { components } from '@crio-lxc/init/inside-root'
import { parseMountOptions } from '@crio-lxc/init/mount-options'

/** The spec with destinations below `rootfs`, an absolute path, as the paths that they are in the container. */
export function withDestinationsInside(spec: Spec, rootfs: string): Spec {
  const inside = `${resolve(rootfs)}/`
  if (inside === '//' || !spec.mounts?.some(({ destination }) => destination.startsWith(inside))) return spec
  const mounts = spec.mounts.map((mount) =>
    mount.destination.startsWith(inside)
      ? { ...mount, destination: mount.destination.slice(inside.length - 1) }
      : mount,
  )
  return { ...spec, mounts }
}

/**
 * The path in the container of a bind's source, `path` on the host, when an earlier mount of the list lies on it or above it,
 * or for a recursive bind below it; else undefined: the source is the host's. As the paths are written.
 */
export function sourceInTree(
  path: string,
  mounts: readonly Mount[],
  { index, rootfs }: { index: number; rootfs: string },
) {
  const inside = `${resolve(rootfs)}/`
  const absolute = resolve(path)
  const mount = mounts[index]
  if (!mount || !absolute.startsWith(inside) || components(mount.destination).join('/') === 'proc') return undefined
  const at = absolute.slice(inside.length - 1)
  const { recursive } = parseMountOptions(mount.options ?? [])
  const provided = mounts.slice(0, index).some((earlier) => {
    if (isBind(earlier) && earlier.options?.includes('remount')) return false
    const point = `/${components(earlier.destination).join('/')}`
    return isAt(at, point) || (recursive && isAt(point, at))
  })
  return provided ? at : undefined
}

function isAt(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`)
}
