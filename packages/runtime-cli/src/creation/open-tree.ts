/** What a container sees: its namespaces, the ids in them, and what is mounted from the host. */
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import type { PlacedMount } from '@crio-lxc/init/steps/remount'
import { hostArch } from '../installation/host-arch.ts'
import { openNamespaces } from '../namespaces/namespaces.ts'
import { type OpenNamespaces, sharesSysfs } from '../namespaces/plan/open-namespaces.ts'
import { userNamespaceOf } from '../namespaces/user-namespace.ts'
import { resolveDestinations } from '../sources/destinations.ts'
import { idMapperOf } from '../sources/id-mappers.ts'
import type { Sources } from '../sources/plan/open-sources.ts'
import { openSources } from '../sources/sources.ts'
import type { CreateRequest } from './refuse.ts'

export interface OpenedTree {
  readonly namespaces: OpenNamespaces
  /** Of the container's user namespace; undefined: it has the runtime's. */
  readonly userNamespace: IdMappings | undefined
  readonly sources: Sources
  /** With destinations that init can make. */
  readonly mounts: readonly PlacedMount[]
}

export interface TreeOptions {
  /** Path of crio-lxc-init. */
  readonly executor: string
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** The spec's, and what the runtime adds to them. */
  readonly mounts: readonly Mount[]
  /** Nothing is changed on the host. */
  readonly preview: boolean
}

/** Throws SpecError for what the host has not, or what cannot be where it is to be. */
export async function openTree(
  { spec, settings, options }: CreateRequest,
  { executor, rootfs, mounts, preview }: TreeOptions,
  fds: FdScope,
): Promise<OpenedTree> {
  const namespaces = openNamespaces(spec, fds)
  const mapping = { arch: hostArch(), executor, timeoutMs: settings.timeouts.createMs, namespaces }
  const userNamespace = userNamespaceOf(spec, mapping)
  const idMapper = await idMapperOf(spec, mapping, fds)
  const hostSysfs = sharesSysfs(namespaces)
  const opening = { bundle: options.bundle, rootfs, ids: userNamespace, idMapper, hostSysfs, preview }
  const sources = openSources(spec, opening, fds)
  return { namespaces, userNamespace, sources, mounts: resolveDestinations(mounts, sources) }
}

export function rootfsOf({ root }: Spec, bundle: string): string {
  return root.path.startsWith('/') ? root.path : `${bundle}/${root.path}`
}
