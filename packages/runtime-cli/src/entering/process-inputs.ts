import { log } from '@crio-lxc/core/host/log/logger'
import { boundingSet, everyCapability } from '@crio-lxc/core/host/process/proc'
import type { Process } from '@crio-lxc/core/oci/spec'
import { lacksHome } from '@crio-lxc/init/environment'
import { type PlannedProcess, type ProcessFacts, planProcess } from '@crio-lxc/init/process-plan'
import { homeOf } from './home.ts'

export interface ProcessContext extends Pick<ProcessFacts, 'linux' | 'featureGates' | 'filterOf'> {
  /** O_PATH fd of the container's root, for HOME. */
  readonly root: number
  /** The container is in a user namespace of its own or of others. */
  readonly userNamespace: boolean
}

/** planProcess with what the host says of the process; what it does not get goes to the log. */
export function processInputs(process: Process, context: ProcessContext): PlannedProcess {
  const planned = planProcess(process, { ...context, ...processFacts(process, context) })
  sayWhatIsLeftOut(planned)
  return planned
}

export function processFacts(
  process: Process,
  { root, userNamespace }: Pick<ProcessContext, 'root' | 'userNamespace'>,
): Pick<ProcessFacts, 'home' | 'capabilities'> {
  return {
    home: lacksHome(process) ? homeOf(process.user.uid, root) : undefined,
    capabilities: userNamespace ? everyCapability() : boundingSet(),
  }
}

export function sayWhatIsLeftOut({ leftOut }: PlannedProcess): void {
  if (leftOut.length === 0) return
  log.warn(`process.capabilities: cannot be granted and left out: ${leftOut.join(', ')}`, { c: 'process' })
}
