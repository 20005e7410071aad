/** A container's status is derived from its processes each time, never stored. */
import type { Status } from '../oci/state.ts'
import { executableIdentity, isAlive } from '../process/proc.ts'
import type { ContainerFacts, InitFacts } from './container-info.ts'

export function statusOf({ creator, initExecutable }: ContainerFacts, init: InitFacts | undefined): Status {
  if (!init) return isAlive(creator) ? 'creating' : 'stopped'
  if (!isAlive(init.init)) return 'stopped'
  // What init runs cannot be pretended: the program's file is reachable from no container.
  return executableIdentity(init.init.pid) === initExecutable ? 'created' : 'running'
}
