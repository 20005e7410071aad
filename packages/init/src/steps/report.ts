/** Steps with which a process tells the runtime how far it is, and waits for it. */
import type { Arg, Plan } from '@crio-lxc/core/plan/plan'

/** A record of kind `ready` (core/process/plan-record.ts). */
export function planReportReady(plan: Plan, what: string, report: Arg): void {
  const ready = plan.struct(
    16,
    () => '{ready}',
    () => undefined,
  )
  plan.step(what, 'write', [report, ready, 16])
}

/** Until there is a byte, or end of file; `demanded`: the end is a failure. */
export function planAwaitByte(plan: Plan, what: string, fd: Arg, { demanded }: { demanded: boolean }): void {
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step(what, 'read', [fd, byte, 1], demanded ? { zeroIsFailure: true } : {})
}
