import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { isMarkedByAnother } from '@crio-lxc/core/host/cgroup/mark-cgroup'
import type { ContainerFacts } from '@crio-lxc/core/host/container/container-info'
import type { Container } from './load-container.ts'

/**
 * Whether what is in the cgroup that container.json names is the container's. It is not when create ended before it had the cgroup
 * for itself, which may be because it was another's, nor when another container has taken it over since init ended.
 */
export function ownsCgroup({ info, facts, init, status }: Container): boolean {
  if (facts.withoutCgroup) return false
  if (init && status !== 'stopped') return true
  return (
    (init !== undefined || info.hasLaunched()) && !isMarkedByAnother(cgroupLayout(), facts.cgroupDir, ownerOf(facts))
  )
}

/** Who a cgroup is marked as: this container, and no other of the same id. */
export function ownerOf({ runtimeRoot, containerId, creator: { pid, startTime } }: ContainerFacts): string {
  return `${runtimeRoot}/${containerId} ${pid} ${startTime}`
}
