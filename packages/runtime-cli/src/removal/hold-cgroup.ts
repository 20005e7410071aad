import { cgroupDirectories } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { shareCgroup } from '@crio-lxc/core/host/cgroup/claim-cgroup'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import type { Stored } from '@crio-lxc/core/host/container/stored'
import { isAlive } from '@crio-lxc/core/host/process/proc'
import { sleep } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { monotonicMs } from '@crio-lxc/core/sys/program'

/**
 * How long the lock is waited for. A create has left the cgroup, or marked it, long before; and the container itself, when it can
 * write there, may have it for ever.
 */
const PATIENCE_MS = 100

/**
 * The container's cgroup, into which nobody makes another container as long as `claims`: it may lose its last process, and so
 * become another's, between two looks. undefined when it is not the container's own.
 */
export function holdCgroup(layout: CgroupLayout, container: Stored, claims: FdScope): string | undefined {
  const { facts, init } = container
  const { cgroupDir, creator } = facts
  const deadline = monotonicMs() + PATIENCE_MS
  // Without init its own create has it, as long as that lives.
  while (ownsCgroup(container) && (init !== undefined || !isAlive(creator))) {
    // Looked at again: whoever has had it in between has left his mark.
    if (shareCgroup(cgroupDirectories(layout, cgroupDir), claims)) break
    if (monotonicMs() > deadline) break
    sleep(1)
  }
  if (ownsCgroup(container)) return cgroupDir
  claims.close()
  return undefined
}
