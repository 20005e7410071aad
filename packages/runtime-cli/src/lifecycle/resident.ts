import { writeFileSync } from 'node:fs'
import { createCgroup } from '@crio-lxc/core/cgroup/cgroupfs'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import type { ContainerInfo } from '@crio-lxc/core/container/container-info'

/** A resident monitor leaves the container's cgroup: its memory and its process are not the container's. */
export function moveToMonitorCgroup(info: ContainerInfo, pid: number): void {
  const layout = cgroupLayout()
  const path = info.facts?.monitorCgroupDir ?? ''
  createCgroup(layout, path)
  for (const { mountPoint } of layout.hierarchies) writeFileSync(`${mountPoint}${path}/cgroup.procs`, String(pid))
}
