import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import type { Stored } from '@crio-lxc/core/host/container/stored'

/** Throws RuntimeError for a container that has no cgroup, or no longer, of which the verb `what` asks something. */
export function requireCgroup(container: Stored, what: string): void {
  const { containerId, withoutCgroup, cgroupDir } = container.facts
  if (withoutCgroup)
    throw new RuntimeError(
      'unsupported',
      `${what} ${containerId}: it was created with --cgroup-manager disabled and has no cgroup`,
    )
  if (!ownsCgroup(container))
    throw new RuntimeError(
      'cgroup',
      `${what} ${containerId}: the cgroup ${cgroupDir} is not its own any more: its processes were moved out of it, move them back or delete it`,
    )
}
