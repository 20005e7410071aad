/** Rules of `process` for single system calls, beyond types (config.md, "Linux Process"; sched(7), ioprio_set(2)). */
import { SpecError } from '../errors/runtime-error.ts'
import { parseNumberList } from './number-list.ts'
import type { ExecCpuAffinity, IoPriority, Process, Scheduler } from './spec.ts'

/** Throws a SpecError for the first of these fields that asks for what its system call cannot mean. */
export function checkAttributeRules({ scheduler, ioPriority, execCPUAffinity }: Process): void {
  if (scheduler) checkScheduler(scheduler)
  if (ioPriority) checkIoPriority(ioPriority)
  if (execCPUAffinity) checkAffinity(execCPUAffinity)
}

function checkScheduler({ policy, nice = 0, priority = 0, runtime, deadline, period }: Scheduler): void {
  if (hasNice(policy)) checkRange('process.scheduler.nice', nice, [-20, 19])
  const realtime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR'
  if (realtime) checkRange('process.scheduler.priority', priority, [1, 99])
  else if (priority !== 0)
    throw new SpecError('process.scheduler.priority', `is for SCHED_FIFO and SCHED_RR, not for ${policy}`)
  for (const [name, value] of Object.entries({ runtime, deadline, period }))
    if (value && policy !== 'SCHED_DEADLINE')
      throw new SpecError(`process.scheduler.${name}`, `is for SCHED_DEADLINE, not for ${policy}`)
}

/** sched(7): of the others the kernel ignores it, and so do runc and crun. */
export function hasNice(policy: Scheduler['policy']): boolean {
  return policy === 'SCHED_OTHER' || policy === 'SCHED_BATCH'
}

function checkIoPriority({ priority = 0 }: IoPriority): void {
  checkRange('process.ioPriority.priority', priority, [0, 7])
}

function checkAffinity({ initial, final }: ExecCpuAffinity): void {
  if (initial) parseNumberList(initial, 'process.execCPUAffinity.initial')
  if (final) parseNumberList(final, 'process.execCPUAffinity.final')
}

function checkRange(field: string, value: number, [least, most]: readonly [number, number]): void {
  if (value < least || value > most) throw new SpecError(field, `must be from ${least} to ${most}, got ${value}`)
}
