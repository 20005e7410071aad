/** Everything that create does with a container, from data: what `debug plan` prints. create plans the same in its parts. */
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { PresentCgroup } from '@crio-lxc/core/host/cgroup/plan/controller'
import type { Scope } from '@crio-lxc/core/host/cgroup/plan/scope'
import { planUnit, type UnitPlan } from '@crio-lxc/core/host/cgroup/plan/unit-plan'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { planNetDeviceProcess } from '@crio-lxc/init/net-device-plan'
import type { ProcessFacts } from '@crio-lxc/init/process-plan'
import { type CreationInputs, netDevicesOf } from './inputs.ts'
import { type InitPlans, planInit } from './plan-init.ts'
import { type MonitorPlans, planMonitor } from './plan-monitor.ts'
import { planResources, type ResourcePlan } from './resource-plan.ts'

export interface AllInputs extends CreationInputs {
  readonly layout: CgroupLayout
  /** The container's cgroup as the host has it now. */
  readonly present: PresentCgroup
  /** Given when systemd makes the cgroup. */
  readonly scope: Scope | undefined
  readonly filterOf: ProcessFacts['filterOf']
  /** The numbers of what a process has that moves network devices while init waits. */
  readonly mover: { readonly namespace: number; readonly report: number }
}

export interface AllPlans extends MonitorPlans, InitPlans {
  readonly resources: ResourcePlan
  readonly unit: UnitPlan | undefined
  /** Given when init cannot fetch linux.netDevices. */
  readonly netDevices: Plan | undefined
}

export function planAll(inputs: AllInputs): AllPlans {
  const { arch, spec, featureGates, present, scope, mover } = inputs
  const resources = planResources(spec, present, featureGates)
  const { moved } = netDevicesOf(inputs)
  return {
    resources,
    unit: scope && planUnit({ scope, present, annotations: spec.annotations, ...resources }),
    ...planMonitor(inputs),
    ...planInit(inputs, inputs.filterOf),
    netDevices: moved && planNetDeviceProcess({ arch, netDevices: moved, ...mover }),
  }
}
