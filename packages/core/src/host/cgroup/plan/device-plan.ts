/** Where and how linux.resources.devices is enforced on a host. PURE. */
import { RuntimeError } from '../../../errors/runtime-error.ts'
import type { Resources } from '../../../oci/resources.ts'
import type { CgroupLayout, Hierarchy } from './cgroup-layout.ts'
import { type DevicePolicy, planDevicePolicy } from './device-policy.ts'
import { planDeviceRules } from './device-rules.ts'

export interface DevicePlan {
  /** v1: devices.allow and devices.deny are written. v2: a program is attached to the cgroup. */
  readonly hierarchy: Hierarchy
  readonly policy: DevicePolicy
}

/**
 * Without rules the container has what every container has, and no more, as with runc. Throws RuntimeError `cgroup` when
 * the host can enforce nothing.
 */
export function planDevices({ devices }: Resources, { hierarchies }: CgroupLayout): DevicePlan {
  const hierarchy =
    hierarchies.find(({ controllers }) => controllers.includes('devices')) ??
    hierarchies.find(({ version }) => version === 2)
  if (!hierarchy)
    throw new RuntimeError(
      'cgroup',
      'linux.resources.devices: the host has neither a v1 devices controller nor cgroup v2: mount one of them, or give --cgroup-devices=false',
    )
  return { hierarchy, policy: planDevicePolicy(planDeviceRules(devices)) }
}
