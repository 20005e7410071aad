/** Where the container's cgroup is to be, what goes into it, and who makes it. Nothing is made yet. */
import { presentCgroup } from '@crio-lxc/core/host/cgroup/apply-writes'
import type { CgroupManager } from '@crio-lxc/core/host/cgroup/cgroup-manager'
import { type Placement, resolveCgroupsPath } from '@crio-lxc/core/host/cgroup/cgroups-path'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { PresentCgroup } from '@crio-lxc/core/host/cgroup/plan/controller'
import { hostArch } from '../installation/host-arch.ts'
import type { Programs } from '../installation/programs.ts'
import { managersOf } from './cgroup-managers.ts'
import { planResources, type ResourcePlan } from './plan/resource-plan.ts'
import type { CreateRequest } from './refuse.ts'

export interface OpenedCgroup {
  readonly layout: CgroupLayout
  readonly placement: Placement
  /** As the host has it now. */
  readonly present: PresentCgroup
  readonly resources: ResourcePlan
  readonly manager: CgroupManager
}

/** Throws SpecError for a path or a limit that the host has no cgroup for. */
export async function openCgroupOf(
  { settings, options, spec }: CreateRequest,
  { executor }: Programs,
): Promise<OpenedCgroup> {
  const { id } = options
  const managerOf = await managersOf(settings)
  const layout = cgroupLayout()
  const placement = resolveCgroupsPath(spec.linux?.cgroupsPath, {
    id,
    systemd: settings.systemdCgroup,
    none: settings.withoutCgroup,
  })
  const present = presentCgroup(layout, placement.path)
  const resources = planResources(spec, present, settings.featureGates)
  const manager = managerOf({
    id,
    layout,
    placement,
    monitorCgroup: settings.monitorCgroup,
    resident: settings.monitorMode === 'resident',
    annotations: spec.annotations,
    ...resources,
    executor,
    arch: hostArch(),
    timeoutMs: settings.timeouts.createMs,
  })
  return { layout, placement, present, resources, manager }
}
