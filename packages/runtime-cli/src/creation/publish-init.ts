/** The last part of create: what only the host may set on init, then the files by which others find it. */

import type { CgroupManager } from '@crio-lxc/core/host/cgroup/cgroup-manager'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { markCgroup } from '@crio-lxc/core/host/cgroup/mark-cgroup'
import type { TerminationMessageFile } from '@crio-lxc/core/host/container/container-facts'
import type { ContainerInfo, InitFacts } from '@crio-lxc/core/host/container/container-info'
import { identify } from '@crio-lxc/core/host/process/proc'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { unlessMissing } from '@crio-lxc/core/sys/files'
import type { SeccompAgent } from '../caller/seccomp-listener.ts'
import type { Monitor } from './monitor.ts'
import { setOomScoreAdj, setPrivileged } from './privileged.ts'

export interface PublishOptions {
  readonly monitor: Monitor
  readonly spec: Spec
  /** Init is in a user namespace, and has no privilege over the host. */
  readonly unprivileged: boolean
  readonly plan: Plan
  readonly seccompAgent: SeccompAgent | undefined
  readonly message: TerminationMessageFile | undefined
  /** Has a place for the monitor when it stays. */
  readonly resident: CgroupManager | undefined
  readonly withoutCgroup: boolean
  readonly cgroupMark: string | undefined
}

/** The pid file last: whoever reads it may act on it at once. Returns init's pid. */
export function publishInit(info: ContainerInfo, options: PublishOptions): number {
  const { monitor, spec, unprivileged, plan, seccompAgent, message, resident, withoutCgroup, cgroupMark } = options
  const init = monitor.identifyInit()
  const { pid } = init
  setOomScoreAdj(pid, spec.process.oomScoreAdj)
  if (unprivileged) setPrivileged(pid, spec.process)
  const kept = resident ? identify(monitor.pid) : undefined
  if (resident) {
    resident.placeMonitor(monitor.pid)
    // systemd makes it in its own hierarchies alone.
    if (cgroupMark !== undefined) unlessMissing(() => markCgroup(cgroupLayout(), resident.monitorPath, cgroupMark))
  }
  // It dies while init.json is written.
  if (!resident) monitor.kill()
  info.publishInit({
    init,
    ...(kept && { monitor: kept }),
    ...(withoutCgroup && { withoutCgroup }),
    ...(cgroupMark !== undefined && { cgroupMark }),
    ...startSteps(plan),
    command: spec.process.args[0] ?? '',
    ...(seccompAgent && { seccompAgent }),
    ...(message && { terminationMessage: message }),
  })
  if (!resident) monitor.end()
  info.createPidFile(kept?.pid ?? pid)
  return pid
}

/** Those from which on init waits for start or has been started: what `start` needs to know of the plan. */
function startSteps({ steps }: Plan): Pick<InitFacts, 'startSteps' | 'startMeanings'> {
  const startSteps: Record<string, string> = {}
  const startMeanings: Record<string, InitFacts['startMeanings'][string]> = {}
  const first = steps.findIndex(({ role }) => role === 'wait-for-start')
  for (const [index, { what, role, advice }] of steps.slice(first).entries()) {
    startSteps[first + index] = what
    if (role ?? advice) startMeanings[first + index] = { ...(role && { role }), ...(advice && { advice }) }
  }
  return { startSteps, startMeanings }
}
