/** A container's status is derived from its processes each time, never stored. */

import type { Status } from '../../oci/state.ts'
import { START_FIFO } from '../../plan/fifo-names.ts'
import { fileExists } from '../../sys/files.ts'
import { isFrozen } from '../cgroup/frozen.ts'
import { executableIdentity, isAlive } from '../process/proc.ts'
import { ownsCgroup } from './own-cgroup.ts'
import type { Stored } from './stored.ts'

/** `paused` while the cgroup is frozen, whatever the process was at before. */
export function statusOf(stored: Stored): Status {
  const status = progressOf(stored)
  if (status !== 'running' && status !== 'created') return status
  return isFrozen(stored.facts.cgroupDir) && ownsCgroup(stored) ? 'paused' : status
}

/** How far the container's process has come. */
export function progressOf({ info, facts: { creator, initExecutable }, init }: Stored): Exclude<Status, 'paused'> {
  if (!init) return isAlive(creator) ? 'creating' : 'stopped'
  if (!isAlive(init.init)) return 'stopped'
  // A container that was started may execute the executor again: the fifo, which start removes, is out of its reach.
  const waits = fileExists(info.runtimePath('fifo', START_FIFO)) && executableIdentity(init.init.pid) === initExecutable
  return waits ? 'created' : 'running'
}
