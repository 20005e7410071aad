/** Ending whatever still runs in a container's cgroup. */
import { findProcesses } from '@crio-lxc/core/host/cgroup/cgroup-processes'
import { removeCgroup } from '@crio-lxc/core/host/cgroup/cgroupfs'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { endCgroup } from '@crio-lxc/core/host/cgroup/signal-cgroup'

/** Kills until no process is left; returns how many there were. Throws RuntimeError `timeout` after `timeoutMs`, and `cgroup`. */
export function killProcesses(layout: CgroupLayout, path: string, timeoutMs: number): number {
  let first: number | undefined
  const isDone = (): boolean => {
    const { pids, complete } = findProcesses(layout, path)
    first ??= pids.length
    return complete && pids.length === 0
  }
  endCgroup(layout, path, { timeoutMs, isDone })
  return first ?? 0
}

/** The same until the cgroup could be removed, in every hierarchy. */
export function killContainer(layout: CgroupLayout, path: string, timeoutMs: number): void {
  endCgroup(layout, path, { timeoutMs, isDone: () => removeCgroup(layout, path) })
}
