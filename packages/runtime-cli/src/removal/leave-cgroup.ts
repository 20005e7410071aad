import { findProcesses } from '@crio-lxc/core/host/cgroup/cgroup-processes'
import { cgroupDirectories, removeCgroup, removeDirectories } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { CgroupTaken, claimCgroup } from '@crio-lxc/core/host/cgroup/claim-cgroup'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { ContainerFacts } from '@crio-lxc/core/host/container/container-info'
import { withFds } from '@crio-lxc/core/sys/fd-scope'

/** For a container that does not own its cgroup: what its create has made there goes as far as it is empty, and no create uses it. */
export function leaveCgroup(layout: CgroupLayout, { cgroupDir, madeCgroups }: ContainerFacts): void {
  withFds((claims) => {
    try {
      cgroupDirectories(layout, cgroupDir).some((directory) => claimCgroup(directory, claims))
    } catch (error) {
      if (error instanceof CgroupTaken) return
      throw error
    }
    const { pids, complete } = findProcesses(layout, cgroupDir)
    // With what processes of before have left below it.
    if (
      complete &&
      pids.length === 0 &&
      cgroupDirectories(layout, cgroupDir).some((each) => madeCgroups.includes(each))
    )
      removeCgroup(layout, cgroupDir)
    removeDirectories(madeCgroups)
  })
}
