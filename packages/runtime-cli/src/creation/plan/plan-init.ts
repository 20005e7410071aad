import type { Plan } from '@crio-lxc/core/plan/plan'
import { planContainer } from '@crio-lxc/init/container-plan'
import { type PlannedProcess, type ProcessFacts, planProcess } from '@crio-lxc/init/process-plan'
import { type CreationInputs, netDevicesOf, stagedMounts } from './inputs.ts'

export interface InitPlans {
  readonly process: PlannedProcess
  readonly container: Plan
}

/** What init does to become the container's process. */
export function planInit(inputs: CreationInputs, filterOf: ProcessFacts['filterOf']): InitPlans {
  const { arch, spec, featureGates, namespaces, sources, cgroupMounts, gate, console, monitor, traced } = inputs
  const { created, joined } = namespaces
  const process = planProcess(spec.process, { linux: spec.linux, featureGates, ...inputs.process, filterOf })
  const staged = stagedMounts(inputs)
  const container = planContainer({
    arch,
    spec,
    process,
    namespaces: { all: new Set([...created, ...joined.keys()]), created },
    fds: {
      ...sources,
      cgroupNamespace: joined.get('cgroup'),
      fifoDirectory: monitor.fifoDirectory,
      report: monitor.report,
      console,
      stdio: inputs.stdio,
      netDevices: netDevicesOf(inputs).fetched,
      gate,
      preserved: inputs.preserved,
    },
    cgroup: cgroupMounts.mounts,
    newKeyring: inputs.newKeyring,
    userNamespace: staged && { staged },
    traced,
  })
  return { process, container }
}
