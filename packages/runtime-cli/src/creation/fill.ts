import { applyDevicePlan } from '@crio-lxc/core/host/cgroup/device-filter'
import type { CachedSeccomp } from '@crio-lxc/core/host/container/seccomp-cache'
import { ACKNOWLEDGE_FIFO } from '@crio-lxc/core/plan/fifo-names'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { makeFifo } from '@crio-lxc/core/sys/files'
import { agentOf, type SeccompAgent } from '../caller/seccomp-listener.ts'
import { sayWhatIsLeftOut } from '../entering/process-inputs.ts'
import type { Launched } from './launch.ts'
import type { Creation } from './occupy.ts'
import { planInit } from './plan/plan-init.ts'

export interface Filled extends Launched {
  /** What init runs. */
  readonly plan: Plan
  /** Given when the container has a profile. */
  readonly seccomp: CachedSeccomp | undefined
  readonly seccompAgent: SeccompAgent | undefined
}

/** Compiles what init does, and limits its cgroup: all that create does while liblxc makes the namespaces. */
export async function fill(launched: Launched, { done }: Creation): Promise<Filled> {
  const { info, inputs, cgroup, monitor, environment } = launched
  const { manager, resources, placement } = cgroup
  const profile = inputs.featureGates.seccomp ? inputs.spec.linux?.seccomp : undefined
  const seccomp = profile && (await import('./compiled-seccomp.ts')).compiledSeccomp(info, profile)
  const { process, container: plan } = planInit(inputs, () => seccomp as CachedSeccomp)
  sayWhatIsLeftOut(process)
  const seccompAgent = agentOf(inputs.spec.linux?.seccomp, seccomp?.notifies ?? false)
  if (seccompAgent) makeFifo(info.runtimePath('fifo', ACKNOWLEDGE_FIFO), 0o644)
  manager.limit()
  if (resources.devices) applyDevicePlan(placement.path, resources.devices)
  done('plan', `wrote a plan of ${plan.steps.length} steps and ${resources.writes.length} cgroup limits`)
  environment.exists = true
  monitor.go(plan)
  return { ...launched, plan, seccomp, seccompAgent }
}
