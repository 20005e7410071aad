import type { Seccomp } from '@crio-lxc/core/oci/linux'
import type { Process } from '@crio-lxc/core/oci/spec'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { environmentOf, executableCandidates } from '@crio-lxc/init/environment'
import type { ProcessInputs } from '@crio-lxc/init/steps/process'
import { homeOf } from './home.ts'
import type { FeatureGates } from './settings.ts'

export interface ProcessContext {
  readonly seccomp: Seccomp | undefined
  readonly gates: FeatureGates
  /** O_PATH fd of the container's root, for HOME. */
  readonly root: number
}

/** What the planners need to know of a process beside the process itself. */
export function processInputs(process: Process, { seccomp, gates, root }: ProcessContext): ProcessInputs {
  const hasHome = process.env?.some((entry) => entry.startsWith('HOME=')) ?? false
  const environment = environmentOf(process, hasHome ? '' : homeOf(process.user.uid, root))
  return {
    process,
    environment,
    candidates: executableCandidates(process.args[0] ?? '', environment),
    seccomp: seccomp && gates.seccomp ? compileSeccomp(seccomp) : undefined,
    capabilities: gates.capabilities,
  }
}
