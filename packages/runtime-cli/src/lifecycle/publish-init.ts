/** The last part of create: what only the host may set on init, then the files by which others find it. */
import { writeFileSync } from 'node:fs'
import type { CgroupManager } from '@crio-lxc/core/cgroup/cgroup-manager'
import type { TerminationMessageFile } from '@crio-lxc/core/container/container-facts'
import type { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { messageOf, RuntimeError, SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { Rlimit, Spec } from '@crio-lxc/core/oci/spec'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { rlimitResource } from '@crio-lxc/core/plan/structs'
import { identify, type ProcessIdentity } from '@crio-lxc/core/process/proc'
import { prlimit } from '@crio-lxc/core/sys/libc-process'
import type { Monitor } from './monitor.ts'
import type { SeccompAgent } from './seccomp-listener.ts'

export interface PublishOptions {
  readonly monitor: Monitor
  readonly spec: Spec
  /** Those that init could not set itself. */
  readonly rlimits: readonly Rlimit[]
  readonly plan: Plan
  readonly seccompAgent: SeccompAgent | undefined
  readonly message: TerminationMessageFile | undefined
  /** Has a place for the monitor when it stays. */
  readonly resident: CgroupManager | undefined
}

/** The pid file last: whoever reads it may act on it at once. Returns init's pid. */
export function publishInit(info: ContainerInfo, options: PublishOptions): number {
  const { monitor, spec, rlimits, plan, seccompAgent, message, resident } = options
  const init = identifyInit(monitor)
  const { pid } = init
  setRlimits(pid, rlimits)
  setOomScoreAdj(pid, spec.process.oomScoreAdj)
  const kept = resident ? identify(monitor.pid) : undefined
  resident?.placeMonitor(monitor.pid)
  // It dies while init.json is written.
  if (!resident) monitor.kill()
  const firstStartStep = plan.steps.findIndex(({ what }) => what === 'wait for start')
  info.publishInit({
    init,
    ...(kept && { monitor: kept }),
    startSteps: Object.fromEntries(
      plan.steps.slice(firstStartStep).map(({ what }, index) => [firstStartStep + index, what]),
    ),
    command: spec.process.args[0] ?? '',
    ...(seccompAgent && { seccompAgent }),
    ...(message && { terminationMessage: message }),
  })
  if (!resident) monitor.end()
  info.createPidFile(kept?.pid ?? pid)
  return pid
}

/** Throws RuntimeError when it has ended: its pid may be another process's by now. */
export function identifyInit(monitor: Monitor): ProcessIdentity {
  const pid = monitor.initPid()
  const init = identify(pid)
  // Still the monitor's child, after its start time was read.
  if (init && monitor.initPid() === pid) return init
  throw new RuntimeError('create-failed', `init (pid ${pid}) ended before it was started`)
}

/** Raising one needs CAP_SYS_RESOURCE, which only the host side has. The soft limit of open files is init's last step. */
function setRlimits(pid: number, rlimits: readonly Rlimit[]): void {
  for (const [index, { type, soft, hard }] of rlimits.entries()) {
    try {
      prlimit(pid, rlimitResource(type), { soft: type === 'RLIMIT_NOFILE' ? hard : soft, hard })
    } catch (cause) {
      throw new SpecError(`process.rlimits[${index}]`, `set ${type} of init: ${messageOf(cause)}`)
    }
  }
}

/** proc_pid_oom_score_adj(5): lowering it needs CAP_SYS_RESOURCE, which only the host side has. */
function setOomScoreAdj(pid: number, value: number | undefined): void {
  if (value === undefined) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(value))
  } catch (cause) {
    throw new SpecError(
      'process.oomScoreAdj',
      `set it to ${value}: ${messageOf(cause).replace(/^\w+: |, write$/g, '')}`,
    )
  }
}
