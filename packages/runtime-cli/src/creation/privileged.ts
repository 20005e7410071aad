/** What create gives init from the host's side, because it needs a privilege over the host. */

import { errnoTable } from '@crio-lxc/core/abi/errno'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { rlimitsForSetUp } from '@crio-lxc/core/oci/rlimits'
import type { Process } from '@crio-lxc/core/oci/spec'
import { rlimitResource } from '@crio-lxc/core/plan/structs'
import { writeFile } from '@crio-lxc/core/sys/files'
import { ioprioSet, prlimit, schedSetattr } from '@crio-lxc/core/sys/process'
import { ioPriorityValue, schedulerBytes, schedulerText } from '@crio-lxc/init/steps/scheduling'

/** proc_pid_oom_score_adj(5): lowering it needs CAP_SYS_RESOURCE. */
export function setOomScoreAdj(pid: number, value: number | undefined): void {
  if (value === undefined) return
  try {
    writeFile(`/proc/${pid}/oom_score_adj`, String(value))
  } catch (cause) {
    throw new SpecError('process.oomScoreAdj', `set it to ${value}: ${reasonOf(cause)}`)
  }
}

/**
 * For an init in a user namespace: what only CAP_SYS_RESOURCE and CAP_SYS_NICE of the host may set. The limit of open
 * files is init's last step.
 */
export function setPrivileged(pid: number, { rlimits = [], scheduler, ioPriority }: Process): void {
  for (const limits of rlimitsForSetUp(rlimits)) {
    const { type, optional } = limits
    const set = (): void => prlimit(pid, rlimitResource(type), limits)
    attempt('process.rlimits', `set ${type} of init`, optional ? () => ignoreEperm(set) : set)
  }
  if (scheduler) {
    const bytes = schedulerBytes(scheduler)
    attempt('process.scheduler', 'set it for init', () => schedSetattr(pid, bytes, schedulerText(scheduler)))
  }
  if (ioPriority) attempt('process.ioPriority', 'set it for init', () => ioprioSet(pid, ioPriorityValue(ioPriority)))
}

function ignoreEperm(task: () => void): void {
  try {
    task()
  } catch (error) {
    if (!(error instanceof SyscallError && error.errno === errnoTable.EPERM[0])) throw error
  }
}

function attempt(field: string, what: string, task: () => void): void {
  try {
    task()
  } catch (cause) {
    throw new SpecError(field, `${what}: ${messageOf(cause)}`)
  }
}
