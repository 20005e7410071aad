/** linux.resources as writes in order, for create and `update`. PURE. */
import { RuntimeError } from '../../errors/runtime-error.ts'
import type { Resources } from '../../oci/resources.ts'
import type { CgroupLayout, Hierarchy } from './cgroup-layout.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { deviceLine, planDeviceRules } from './device-rules.ts'

/** Throws RuntimeError `cgroup` when the host has no controller for what is asked. */
export function planResourceWrites(resources: Resources, layout: CgroupLayout): CgroupWrite[] {
  return [...planDevices(resources, layout), ...planPids(resources, layout)]
}

function planDevices({ devices }: Resources, layout: CgroupLayout): CgroupWrite[] {
  const rules = planDeviceRules(devices)
  if (rules.length === 0 || layout.mode === 'v2') return []
  const hierarchy = controllerOf(layout, 'devices', 'linux.resources.devices')
  return rules.map((rule) => ({
    hierarchy,
    file: rule.allow ? 'devices.allow' : 'devices.deny',
    value: deviceLine(rule),
    field: 'linux.resources.devices',
  }))
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
