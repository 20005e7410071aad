/**
 * Idmapped mounts (config.md, "POSIX-platform Mounts" and the options `idmap` and `ridmap`): bind mounts whose files have
 * other owners in the container than on disk. Which mounts are, with which mappings, and which cannot be.
 */
import { SpecError } from '../errors/runtime-error.ts'
import { isBind } from './bind-mounts.ts'
import { itemOf } from './field-path.ts'
import { checkIdMappings } from './id-mapping-rules.ts'
import type { IdMapping } from './linux.ts'
import type { Mount, Spec } from './spec.ts'

/** How ids on disk (`containerID`) are seen through a mount (`hostID`). */
export interface MountIdMapping {
  /** Of the mounts below it too, which a recursive bind brings. */
  readonly recursive: boolean
  readonly uidMappings: readonly IdMapping[]
  readonly gidMappings: readonly IdMapping[]
  /** The mappings are those of the container's user namespace, because the mount has none. */
  readonly ofNamespace: boolean
  /** The field that asks for it. */
  readonly field: 'uidMappings' | 'options'
}

/** Undefined for a mount that shows the owners as they are. */
export function idMappingOf(mount: Mount, { linux }: Spec): MountIdMapping | undefined {
  const { uidMappings = [], gidMappings = [] } = mount
  const option = optionOf(mount)
  const recursive = option === 'ridmap'
  // As in runc, mappings count without the option too: it is there for runtimes that do not know them.
  if (uidMappings.length > 0 || gidMappings.length > 0)
    return { recursive, uidMappings, gidMappings, ofNamespace: false, field: 'uidMappings' }
  if (option === undefined) return undefined
  const { uidMappings: uids = [], gidMappings: gids = [] } = linux ?? {}
  return { recursive, uidMappings: uids, gidMappings: gids, ofNamespace: true, field: 'options' }
}

export function hasIdMappedMounts(spec: Spec): boolean {
  return spec.mounts?.some((mount) => idMappingOf(mount, spec) !== undefined) ?? false
}

/** Throws a SpecError for the first mount that cannot be idmapped as it asks. */
export function checkIdMappedMounts(spec: Spec): void {
  for (const [index, mount] of (spec.mounts ?? []).entries()) {
    const mapping = idMappingOf(mount, spec)
    if (mapping) checkMount(mount, mapping, { at: itemOf('mounts', index), spec })
  }
}

function checkMount(mount: Mount, mapping: MountIdMapping, { at, spec }: { at: string; spec: Spec }): void {
  const { options = [] } = mount
  const field = `${at}.${mapping.field}`
  if (!isBind(mount)) throw new SpecError(field, 'only bind mounts can be idmapped: add the option "bind" or "rbind"')
  if (options.includes('remount')) throw new SpecError(field, 'a mount that is there already cannot be idmapped')
  if (mapping.ofNamespace) {
    if (!spec.linux?.namespaces?.some((namespace) => namespace.type === 'user')) throw noMappings(mount, at)
    return
  }
  for (const [list, other] of [
    ['uidMappings', 'gidMappings'],
    ['gidMappings', 'uidMappings'],
  ] as const) {
    if (mapping[list].length === 0) throw new SpecError(`${at}.${list}`, `is missing: ${other} needs it beside it`)
    checkIdMappings(mapping[list], `${at}.${list}`)
  }
}

/** The error of a mount without mappings in a container that has none either. */
export function noMappings(mount: Mount, at: string): SpecError {
  return new SpecError(
    `${at}.options`,
    `"${optionOf(mount)}" needs the mount's uidMappings and gidMappings, or a user namespace of the container's`,
  )
}

function optionOf({ options = [] }: Mount): 'idmap' | 'ridmap' | undefined {
  return options.findLast((option) => option === 'idmap' || option === 'ridmap') as 'idmap' | 'ridmap' | undefined
}
