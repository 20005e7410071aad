import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'

/**
 * process.oomScoreAdj of a process that has not entered the container yet: lowering it needs the host's
 * CAP_SYS_RESOURCE (proc_pid_oom_score_adj(5)), and children inherit it.
 */
export function planOomScoreAdj(plan: Plan, value: number): void {
  const fd = plan.slot('oom_score_adj')
  const text = plan.string(String(value))
  const file = plan.string('/proc/self/oom_score_adj')
  plan.step('open oom_score_adj', 'openat', [AT_FDCWD, file, O_WRONLY | O_CLOEXEC], { result: fd })
  plan.step(`set process.oomScoreAdj to ${value}`, 'write', [fd, text, text.length])
  plan.step('close oom_score_adj', 'close', [fd])
}
