import { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import type { Plan } from '@crio-lxc/core/plan/plan'
import type { PlanRecord } from '@crio-lxc/core/plan/record'

export interface PlanProcess {
  /** Path of crio-lxc-init. */
  readonly executor: string
  readonly timeoutMs: number
  /** What it is for, in the words of an error. */
  readonly what: string
  /** Descriptors that the process inherits, under the same numbers. */
  readonly fds: readonly number[]
  /** The plan of a process that reports to the write end of a pipe. */
  readonly plan: (report: number) => Plan
}

/**
 * Runs a plan in a process beside the container, and hands its first record to `use`, undefined when it has ended without one.
 * The process has ended and is reaped afterwards, also when this throws RuntimeError.
 */
export function withPlanProcess<Result>(
  { executor, timeoutMs, what, fds, plan }: PlanProcess,
  use: (record: PlanRecord | undefined, process: ExecutorProcess) => Result,
): Result {
  const process = ExecutorProcess.launch({ executor }, (report) => ({ plan: plan(report), fds }))
  try {
    const [record] = process.records({ timeoutMs, what })
    return use(record, process)
  } finally {
    process.close()
    process.end()
  }
}
