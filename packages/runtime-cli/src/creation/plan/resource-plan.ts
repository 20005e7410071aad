import type { CgroupWrite } from '@crio-lxc/core/host/cgroup/plan/cgroup-write'
import type { PresentCgroup } from '@crio-lxc/core/host/cgroup/plan/controller'
import { type DevicePlan, planDevices } from '@crio-lxc/core/host/cgroup/plan/device-plan'
import { planDeviceWrites, planResourceWrites } from '@crio-lxc/core/host/cgroup/plan/resource-writes'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { FeatureGates } from '../../settings.ts'

/** What linux.resources asks of the host. */
export interface ResourcePlan {
  readonly writes: readonly CgroupWrite[]
  /** undefined when the operator switched the feature gate off: the container may use every device. */
  readonly devices: DevicePlan | undefined
}

export function planResources({ linux }: Spec, cgroup: PresentCgroup, featureGates: FeatureGates): ResourcePlan {
  const resources = linux?.resources ?? {}
  const devices = featureGates.cgroupDevices ? planDevices(resources, cgroup.layout) : undefined
  return { writes: [...planDeviceWrites(devices), ...planResourceWrites(resources, cgroup)], devices }
}
