import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { applyWritesOrRestore, presentCgroup } from '@crio-lxc/core/host/cgroup/apply-writes'
import { applyDevicePlan } from '@crio-lxc/core/host/cgroup/device-filter'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import type { CgroupWrite } from '@crio-lxc/core/host/cgroup/plan/cgroup-write'
import { planDevices } from '@crio-lxc/core/host/cgroup/plan/device-plan'
import { planDeviceUpdate } from '@crio-lxc/core/host/cgroup/plan/device-update'
import { planResourceWrites } from '@crio-lxc/core/host/cgroup/plan/resource-writes'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
import { withPidsOfVersion } from '@crio-lxc/core/oci/pids-limit'
import type { Resources } from '@crio-lxc/core/oci/resources'
import { type Container, loadContainer } from '../container/load-container.ts'
import { requireCgroup } from '../container/require-cgroup.ts'
import { unlessEnded } from '../container/unless-ended.ts'
import type { Settings } from '../settings.ts'

export interface Update {
  readonly resources: Resources
  /** Schemata of the container's resctrl group; absent: they stay. */
  readonly intelRdt: IntelRdt | undefined
}

/**
 * update: what `resources` and the schemata name changes, everything else stays; numbers mean what they do in the
 * container's config.json. Throws RuntimeError; the container then has the limits that it had before.
 */
export async function update(settings: Settings, id: string, { resources, intelRdt }: Update): Promise<void> {
  const container = loadContainer(settings, id)
  const { facts, status } = container
  if (status === 'stopped' || status === 'creating') throw new ErrNotRunning(`${id} is ${status}`)
  unlessEnded(settings, container, () => requireCgroup(container, 'update'))
  if (!intelRdt) return limit(settings, container, resources)
  const { updateSchemata } = await import('./update-schemata.ts')
  const restore = updateSchemata(facts.resctrl, intelRdt)
  try {
    await limit(settings, container, resources)
  } catch (error) {
    restore()
    throw error
  }
}

async function limit(settings: Settings, { facts }: Container, resources: Resources): Promise<void> {
  const done = phaseLog('update')
  const layout = cgroupLayout()
  const cgroup = presentCgroup(layout, facts.cgroupDir)
  const devices = resources.devices && facts.cgroupDevices ? planDevices(resources, layout) : undefined
  const writes: CgroupWrite[] = [
    ...planResourceWrites(withPidsOfVersion(resources, facts.ociVersion), cgroup),
    ...(devices ? planDeviceUpdate(devices, cgroup) : []),
  ]
  const unit = facts.systemdUnits?.container
  if (unit === undefined) applyWritesOrRestore(facts.cgroupDir, writes)
  else {
    const { limitUnit } = await import('@crio-lxc/core/host/cgroup/unit-limits')
    limitUnit({ name: unit, path: facts.cgroupDir, layout }, { writes, devices }, settings.timeouts.startMs)
  }
  if (devices) applyDevicePlan(facts.cgroupDir, devices)
  done('limits', `wrote ${writes.length} limits of the cgroup ${facts.cgroupDir}`, { cgroup: facts.cgroupDir })
}
