import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { forgetUnits, stopUnits } from '@crio-lxc/core/host/cgroup/systemd-manager'
import { isMarkedFor } from '@crio-lxc/core/host/container/own-cgroup'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import type { Container } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'
import type { Remains } from './remains.ts'

export interface WhoseUnits {
  readonly layout: CgroupLayout
  /** The cgroup that container.json names was the container's. */
  readonly owned: boolean
  readonly remains: Remains
}

/** The unit of a cgroup is whose the cgroup is: its name may be that of another's by now. One that has failed keeps its name. */
export function endUnits(
  { timeouts }: Settings,
  { facts, init }: Container,
  { layout, owned, remains }: WhoseUnits,
): void {
  const { systemdUnits, monitorCgroupDir } = facts
  if (!systemdUnits) return
  const done = phaseLog('delete')
  const { container, monitor } = systemdUnits
  const own = owned ? [container] : []
  if (monitor !== undefined && isMarkedFor({ facts, init }, layout, monitorCgroupDir)) own.push(monitor)
  const others = [container, ...(monitor === undefined ? [] : [monitor])].filter((unit) => !own.includes(unit))
  remains.of(() => {
    if (own.length > 0) stopUnits(own, timeouts.deleteMs)
    if (others.length > 0) forgetUnits(others, timeouts.deleteMs)
  })
  const what = owned ? 'stopped' : 'left'
  done('unit', `${what} the unit ${container}`, { unit: container })
}
