import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import type { Settings } from '../settings.ts'
import { killProcess } from './end-process.ts'
import { killContainer } from './kill-container.ts'
import type { Remains } from './remains.ts'

export interface WhatToEnd {
  readonly layout: CgroupLayout
  /** undefined: nobody knows it. */
  readonly cgroup: string | undefined
  /** Init and the monitor, as far as they may live. */
  readonly processes: readonly (ProcessIdentity | undefined)[]
}

/**
 * Ends init, the monitor and whatever else is in the cgroup, and removes that. Init is not waited for before the rest is
 * killed: a part of the container may hold it in a freezer.
 */
export function endContainer({ timeouts }: Settings, { layout, cgroup, processes }: WhatToEnd, remains: Remains): void {
  const endings = processes.map((identity) => identity && killProcess(identity))
  try {
    if (cgroup !== undefined) remains.of(() => killContainer(layout, cgroup, timeouts.deleteMs))
    // A process that is left in the cgroup has been waited for already.
    const timeoutMs = remains.any ? 0 : timeouts.killMs
    for (const ending of endings) remains.of(() => ending?.wait(timeoutMs))
  } finally {
    for (const ending of endings) ending?.close()
  }
}
