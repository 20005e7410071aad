/** linux.resources as writes in order, for create and `update`. PURE. */
import { RuntimeError } from '../../errors/runtime-error.ts'
import type { Resources } from '../../oci/resources.ts'
import type { CgroupLayout, Hierarchy } from './cgroup-layout.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import type { DevicePlan } from './device-plan.ts'
import { deviceLine } from './device-policy.ts'

/** Throws RuntimeError `cgroup` when the host has no controller for what is asked. */
export function planResourceWrites(resources: Resources, layout: CgroupLayout): CgroupWrite[] {
  return planPids(resources, layout)
}

/** What a plan for v1 writes, nothing for a program. The default first: it clears what the cgroup inherited or had before. */
export function planDeviceWrites(plan: DevicePlan | undefined): CgroupWrite[] {
  if (plan?.hierarchy.version !== 1) return []
  const {
    hierarchy,
    policy: { allow, exceptions },
  } = plan
  const field = 'linux.resources.devices'
  const file = (allowed: boolean): string => (allowed ? 'devices.allow' : 'devices.deny')
  return [
    { hierarchy, file: file(allow), value: 'a', field },
    ...exceptions.map((exception) => ({
      hierarchy,
      file: file(!allow),
      value: deviceLine(exception),
      field: exception.field ?? field,
    })),
  ]
}

function planPids({ pids }: Resources, layout: CgroupLayout): CgroupWrite[] {
  if (!pids?.limit) return []
  const field = 'linux.resources.pids.limit'
  const value = pids.limit < 0 ? 'max' : String(pids.limit)
  return [{ hierarchy: controllerOf(layout, 'pids', field), file: 'pids.max', value, field }]
}

function controllerOf({ mode, hierarchies }: CgroupLayout, controller: string, field: string): Hierarchy {
  const found = hierarchies.find(({ version, controllers }) =>
    mode === 'v2' ? version === 2 : controllers.includes(controller),
  )
  if (!found) throw new RuntimeError('cgroup', `${field}: the host has no ${controller} controller: remove the field`)
  return found
}
