import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { compile } from '@crio-lxc/core/plan/compile'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { type Record, readRecord } from '@crio-lxc/core/process/plan-record'
import { spawnExecutor } from '@crio-lxc/core/sys/executor'
import { close, pipe } from '@crio-lxc/core/sys/fd'
import { sealedFile } from '@crio-lxc/core/sys/memfd'
import { kill } from '@crio-lxc/core/sys/program'
import { wait } from '@crio-lxc/core/sys/spawn'

export interface PlanProcess {
  /** Path of crio-lxc-init. */
  readonly init: string
  readonly timeoutMs: number
  /** What it is for, in the words of an error. */
  readonly what: string
  /** Descriptors that the process inherits, under the same numbers. */
  readonly fds: readonly number[]
  /** The plan of a process that reports to the write end of a pipe. */
  readonly plan: (report: number) => Plan
}

/**
 * Runs a plan in a process beside the container, and hands its first record to `use`. The process has ended and is reaped
 * afterwards, also when this throws RuntimeError.
 */
export function withPlanProcess<Result>(
  { init, timeoutMs, what, fds, plan: planOf }: PlanProcess,
  use: (record: Record, process: { readonly pid: number; readonly plan: Plan }) => Result,
): Result {
  const [reportRead, report] = pipe()
  const open = new Set([reportRead, report])
  let pid: number | undefined
  try {
    const plan = planOf(report)
    const image = sealedFile('plan', compile(plan, report))
    open.add(image)
    pid = spawnExecutor({ path: init, plan: image, fds: [report, ...fds] })
    // Only the process may hold it: end of file is how its end is seen.
    open.delete(report)
    close(report)
    return use(readRecord(reportRead, { timeoutMs, what }), { pid, plan })
  } finally {
    for (const fd of open) close(fd)
    if (pid !== undefined) {
      kill(pid, SIGKILL)
      wait(pid)
    }
  }
}
