/** A container's status is derived from its processes each time, never stored. */

import type { Status } from '../../oci/state.ts'
import { START_FIFO } from '../../plan/fifo-names.ts'
import { fileExists } from '../../sys/files.ts'
import { isFrozen } from '../cgroup/frozen.ts'
import { executableIdentity, isAlive } from '../process/proc.ts'
import type { ContainerFacts, ContainerInfo, InitFacts } from './container-info.ts'

/** What of a container is on the disk. */
export interface Stored {
  readonly info: ContainerInfo
  readonly facts: ContainerFacts
  /** Absent until create has succeeded. */
  readonly init: InitFacts | undefined
}

/** `paused` while the cgroup is frozen, whatever the process was at before. */
export function statusOf(stored: Stored): Status {
  const status = progressOf(stored)
  return (status === 'running' || status === 'created') && isFrozen(stored.facts.cgroupDir) ? 'paused' : status
}

/** How far the container's process has come. */
export function progressOf({ info, facts: { creator, initExecutable }, init }: Stored): Exclude<Status, 'paused'> {
  if (!init) return isAlive(creator) ? 'creating' : 'stopped'
  if (!isAlive(init.init)) return 'stopped'
  // A container that was started may execute the executor again: the fifo, which start removes, is out of its reach.
  const waits = fileExists(info.runtimePath('fifo', START_FIFO)) && executableIdentity(init.init.pid) === initExecutable
  return waits ? 'created' : 'running'
}
