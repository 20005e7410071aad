import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { ContainerFacts } from '@crio-lxc/core/host/container/container-facts'

/** Throws RuntimeError for a container that has no cgroup, of which the verb `what` asks something. */
export function requireCgroup({ containerId, withoutCgroup }: ContainerFacts, what: string): void {
  if (withoutCgroup)
    throw new RuntimeError(
      'unsupported',
      `${what} ${containerId}: it was created with --cgroup-manager disabled and has no cgroup`,
    )
}
