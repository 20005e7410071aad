import { log } from '@crio-lxc/core/log/logger'
import { grantableCapabilities } from '@crio-lxc/core/oci/capabilities'
import type { Linux, Seccomp } from '@crio-lxc/core/oci/linux'
import type { Process } from '@crio-lxc/core/oci/spec'
import { boundingSet, everyCapability } from '@crio-lxc/core/process/proc'
import type { CompiledSeccomp } from '@crio-lxc/core/sys/seccomp'
import { environmentOf, executableCandidates, lacksHome } from '@crio-lxc/init/environment'
import type { ProcessInputs } from '@crio-lxc/init/steps/process'
import type { FeatureGates } from '../settings.ts'
import { homeOf } from './home.ts'

export interface ProcessContext {
  /** The container's. */
  readonly linux: Linux | undefined
  readonly gates: FeatureGates
  /** O_PATH fd of the container's root, for HOME. */
  readonly root: number
  /** The container is in a user namespace of its own or of others. */
  readonly userNamespace: boolean
  /** What `appliedSeccomp` says, compiled. */
  readonly seccomp: CompiledSeccomp | undefined
}

/** The profile of the container's processes. */
export function appliedSeccomp(linux: Linux | undefined, gates: FeatureGates): Seccomp | undefined {
  return gates.seccomp ? linux?.seccomp : undefined
}

/** What the planners need to know of a process beside the process itself. */
export function processInputs(process: Process, context: ProcessContext): ProcessInputs {
  const { linux, gates, root, userNamespace, seccomp } = context
  const environment = environmentOf(process, lacksHome(process) ? homeOf(process.user.uid, root) : undefined)
  return {
    process: withGates(process, gates, userNamespace),
    environment,
    candidates: executableCandidates(process.args[0] ?? '', environment),
    seccomp,
    personality: linux?.personality,
    memoryPolicy: linux?.memoryPolicy,
    capabilities: gates.capabilities,
  }
}

function withGates(process: Process, { apparmor, capabilities }: FeatureGates, userNamespace: boolean): Process {
  const confined = apparmor || !process.apparmorProfile ? process : { ...process, apparmorProfile: '' }
  return capabilities
    ? withGrantableCapabilities(confined, userNamespace ? everyCapability() : boundingSet())
    : confined
}

function withGrantableCapabilities(process: Process, available: bigint): Process {
  if (!process.capabilities) return process
  const { sets, leftOut } = grantableCapabilities(process.capabilities, available)
  if (leftOut.length === 0) return process
  log.warn(`process.capabilities: cannot be granted and left out: ${leftOut.join(', ')}`, { c: 'process' })
  return { ...process, capabilities: sets }
}
