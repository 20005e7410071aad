/** What a process of config.json needs beside itself, for whoever becomes it: init, a process of exec or a hook. PURE. */
import { grantableCapabilities } from '@crio-lxc/core/oci/capabilities'
import type { Linux, Seccomp } from '@crio-lxc/core/oci/linux'
import type { Process } from '@crio-lxc/core/oci/spec'
import { environmentOf, executableCandidates } from './environment.ts'
import type { ProcessInputs, SeccompFilter } from './steps/process.ts'

/** The operator's gates: of what is off the process gets nothing. */
export interface ProcessGates {
  readonly seccomp: boolean
  readonly capabilities: boolean
  readonly apparmor: boolean
}

/** What the host says. */
export interface ProcessFacts {
  /** The container's. */
  readonly linux: Linux | undefined
  readonly gates: ProcessGates
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
  const { linux, gates, home, capabilities: available, filterOf } = facts
  const environment = environmentOf(process, home)
  const granted =
    gates.capabilities && process.capabilities ? grantableCapabilities(process.capabilities, available) : undefined
  return {
    process: {
      ...process,
      ...(granted && { capabilities: granted.sets }),
      ...(!gates.apparmor && { apparmorProfile: '' }),
    },
    environment,
    candidates: executableCandidates(process.args[0] ?? '', environment),
    seccomp: linux?.seccomp && gates.seccomp ? filterOf(linux.seccomp) : undefined,
    personality: linux?.personality,
    memoryPolicy: linux?.memoryPolicy,
    capabilities: gates.capabilities,
    leftOut: granted?.leftOut ?? [],
  }
}
