import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import type { CgroupWrite } from '@crio-lxc/core/cgroup/plan/cgroup-write'
import { type DevicePlan, planDevices } from '@crio-lxc/core/cgroup/plan/device-plan'
import { planDeviceWrites, planResourceWrites } from '@crio-lxc/core/cgroup/plan/resource-writes'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { FeatureGates } from './settings.ts'

/** What linux.resources asks of the host. */
export interface ResourcePlan {
  readonly writes: readonly CgroupWrite[]
  /** undefined when the operator switched the gate off: the container may use every device. */
  readonly devices: DevicePlan | undefined
}

export function planResources({ linux }: Spec, layout: CgroupLayout, gates: FeatureGates): ResourcePlan {
  const resources = linux?.resources ?? {}
  const devices = gates.cgroupDevices ? planDevices(resources, layout) : undefined
  return { writes: [...planDeviceWrites(devices), ...planResourceWrites(resources, layout)], devices }
}
