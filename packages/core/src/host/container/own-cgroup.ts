import { CAP_SYS_ADMIN } from '../../abi/constants.ts'
import { cgroupLayout } from '../cgroup/hierarchies.ts'
import { readMark } from '../cgroup/mark-cgroup.ts'
import type { CgroupLayout } from '../cgroup/plan/cgroup-layout.ts'
import { effectiveCapabilities } from '../process/proc.ts'
import type { ContainerFacts } from './container-facts.ts'
import type { Stored } from './stored.ts'

/**
 * Whether what is in the cgroup that container.json names is the container's. It is not when create ended before it had the cgroup
 * for itself, which may be because it was another's; nor when another container has taken it over since it had no processes any
 * more, for init has ended or was moved; nor when it is not the one that create has marked, but was made again by others.
 */
export function ownsCgroup({ info, facts, init }: Stored): boolean {
  if (facts.withoutCgroup || !(init || info.hasLaunched())) return false
  return isMarkedFor({ facts, init }, cgroupLayout(), facts.cgroupDir)
}

/** Whether the cgroup `path` says that it is the container's, or could not be made to say so. */
export function isMarkedFor({ facts, init }: Omit<Stored, 'info'>, layout: CgroupLayout, path: string): boolean {
  const mark = readMark(layout, path)
  if (mark !== undefined) return mark === (init?.cgroupMark ?? ownerOf(facts))
  return init?.cgroupMark === undefined || !seesMarks()
}

/** xattr(7): to whoever lacks CAP_SYS_ADMIN, such as an exporter of metrics, no cgroup has a trusted attribute. */
function seesMarks(): boolean {
  return ((effectiveCapabilities() >> BigInt(CAP_SYS_ADMIN)) & 1n) === 1n
}

/** Who a cgroup is marked as: this container, and no other of the same id. */
export function ownerOf({ runtimeRoot, containerId, creator: { pid, startTime } }: ContainerFacts): string {
  return `${runtimeRoot}/${containerId} ${pid} ${startTime}`
}
