/** What a process of config.json needs beside itself, for whoever becomes it: init, a process of exec or a hook. PURE. */
import { grantableCapabilities } from '@crio-lxc/core/oci/capabilities'
import type { Linux, Seccomp } from '@crio-lxc/core/oci/linux'
import type { Process } from '@crio-lxc/core/oci/spec'
import { environmentOf, executableCandidates } from './environment.ts'
import type { ProcessInputs } from './steps/process.ts'
import type { SeccompFilter } from './steps/seccomp.ts'

/** The feature gates that a process has: of what is off the process gets nothing. */
export interface ProcessFeatureGates {
  readonly seccomp: boolean
  readonly capabilities: boolean
  readonly apparmor: boolean
}

/** What the host says. */
export interface ProcessFacts {
  /** The container's. */
  readonly linux: Linux | undefined
  readonly featureGates: ProcessFeatureGates
  /** Of a process that lacks one. */
  readonly home: string | undefined
  /** What the runtime may grant, as a mask. */
  readonly capabilities: bigint
  /** Where the filter comes from: it is compiled once. */
  readonly filterOf: (seccomp: Seccomp) => SeccompFilter
}

export interface PlannedProcess extends ProcessInputs {
  /** One phrase for each capability that was asked for and cannot be granted. */
  readonly leftOut: readonly string[]
}

export function planProcess(process: Process, facts: ProcessFacts): PlannedProcess {
  const { linux, featureGates, home, capabilities: available, filterOf } = facts
  const environment = environmentOf(process, home)
  const granted =
    featureGates.capabilities && process.capabilities
      ? grantableCapabilities(process.capabilities, available)
      : undefined
  return {
    process: {
      ...process,
      ...(granted && { capabilities: granted.sets }),
      ...(!featureGates.apparmor && { apparmorProfile: '' }),
    },
    environment,
    candidates: executableCandidates(process.args[0] ?? '', environment),
    seccomp: linux?.seccomp && featureGates.seccomp ? filterOf(linux.seccomp) : undefined,
    personality: linux?.personality,
    memoryPolicy: linux?.memoryPolicy,
    capabilities: featureGates.capabilities,
    leftOut: granted?.leftOut ?? [],
  }
}
