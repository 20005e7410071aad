import { applyDevicePlan } from '@crio-lxc/core/cgroup/device-filter'
import { keepSeccomp } from '@crio-lxc/core/container/seccomp-program'
import { ACKNOWLEDGE_FIFO } from '@crio-lxc/core/plan/fifo-names'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { makeFifo } from '@crio-lxc/core/sys/files'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { agentOf, type SeccompAgent } from '../caller/seccomp-listener.ts'
import { sayWhatIsLeftOut } from '../entering/process-inputs.ts'
import type { Launched } from './launch.ts'
import type { Creation } from './occupy.ts'
import { planInit } from './plan/plan-init.ts'

export interface Filled extends Launched {
  /** What init runs. */
  readonly plan: Plan
  readonly seccompAgent: SeccompAgent | undefined
}

/** Compiles what init does, and limits its cgroup: all that create does while liblxc makes the namespaces. */
export function fill(launched: Launched, { done }: Creation): Filled {
  const { info, inputs, cgroup, monitor, environment } = launched
  const { manager, resources, placement } = cgroup
  const { process, container: plan } = planInit(inputs, compileSeccomp)
  sayWhatIsLeftOut(process)
  if (process.seccomp) keepSeccomp(info.runtimePath(), process.seccomp)
  const seccompAgent = agentOf(inputs.spec.linux?.seccomp, process.seccomp?.notifies ?? false)
  if (seccompAgent) makeFifo(info.runtimePath('fifo', ACKNOWLEDGE_FIFO), 0o644)
  manager.limit()
  if (resources.devices) applyDevicePlan(placement.path, resources.devices)
  done('plan', `wrote a plan of ${plan.steps.length} steps and ${resources.writes.length} cgroup limits`)
  environment.exists = true
  monitor.go(plan)
  return { ...launched, plan, seccompAgent }
}
