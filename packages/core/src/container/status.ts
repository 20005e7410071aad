/** A container's status is derived from its processes each time, never stored. */
import { isFrozen } from '../cgroup/frozen.ts'
import type { Status } from '../oci/state.ts'
import { executableIdentity, isAlive } from '../process/proc.ts'
import type { ContainerFacts, InitFacts } from './container-info.ts'

/** `paused` while the cgroup is frozen, whatever the process was at before. */
export function statusOf(facts: ContainerFacts, init: InitFacts | undefined): Status {
  const status = progressOf(facts, init)
  return (status === 'running' || status === 'created') && isFrozen(facts.cgroupDir) ? 'paused' : status
}

/** How far the container's process has come. */
export function progressOf(
  { creator, initExecutable }: ContainerFacts,
  init: InitFacts | undefined,
): Exclude<Status, 'paused'> {
  if (!init) return isAlive(creator) ? 'creating' : 'stopped'
  if (!isAlive(init.init)) return 'stopped'
  // What init runs cannot be pretended: the program's file is reachable from no container.
  return executableIdentity(init.init.pid) === initExecutable ? 'created' : 'running'
}
