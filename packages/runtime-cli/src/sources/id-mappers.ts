import { hasIdMappedMounts } from '@crio-lxc/core/oci/id-mapped-mounts'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import type { IdMapper, IdMapperInputs } from './id-mapper.ts'

/** Undefined for a spec without idmapped mounts, for which nothing is loaded. */
export async function idMapperOf(spec: Spec, inputs: IdMapperInputs, fds: FdScope): Promise<IdMapper | undefined> {
  if (!hasIdMappedMounts(spec)) return undefined
  const { IdMapper } = await import('./id-mapper.ts')
  return new IdMapper(spec, inputs, fds)
}
