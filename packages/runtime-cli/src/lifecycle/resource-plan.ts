import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import type { CgroupWrite } from '@crio-lxc/core/cgroup/plan/cgroup-write'
import { type DevicePlan, planDevices } from '@crio-lxc/core/cgroup/plan/device-plan'
import { planResourceWrites } from '@crio-lxc/core/cgroup/plan/resource-writes'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { FeatureGates } from './settings.ts'

/** What linux.resources asks of the host. */
export interface ResourcePlan {
  readonly writes: readonly CgroupWrite[]
  /** undefined: the container may use every device. */
  readonly devices: DevicePlan | undefined
}

export function planResources({ linux }: Spec, layout: CgroupLayout, gates: FeatureGates): ResourcePlan {
  const { devices = [], ...others } = linux?.resources ?? {}
  const resources = { ...others, devices: gates.cgroupDevices ? devices : [] }
  return { writes: planResourceWrites(resources, layout), devices: planDevices(resources, layout) }
}
