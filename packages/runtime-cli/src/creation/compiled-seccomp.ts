/** The filter of a container that is being created: loaded only for one that has a profile. */
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { type CachedSeccomp, cachedSeccomp } from '@crio-lxc/core/host/container/seccomp-cache'
import { keepSeccomp } from '@crio-lxc/core/host/container/seccomp-program'
import type { Seccomp } from '@crio-lxc/core/oci/linux'

/** Kept beside config.json for the processes that will join the container. */
export function compiledSeccomp(info: ContainerInfo, seccomp: Seccomp): CachedSeccomp {
  const compiled = cachedSeccomp(info.runtimeRoot, seccomp)
  keepSeccomp(info.runtimePath(), compiled)
  return compiled
}
