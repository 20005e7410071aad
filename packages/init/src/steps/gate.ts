/** Steps with which init waits for what only create can do: hooks, and moving network devices to a user namespace. */
import type { Plan } from '@crio-lxc/core/plan/plan'
import { planReportWaiting } from '@crio-lxc/core/plan/record'
import { planAwaitByte } from './await-byte.ts'
import type { HostTree } from './host-tree.ts'

/** The gate: where init waits, once, between the mounts and what takes the ways to change them away. */
export interface GateFds {
  /** Read end of the pipe on which create says that init may go on. */
  readonly go: number
  /** Given for hooks, in a mount namespace that no others use: a detached clone of the host's root with all its mounts. */
  readonly hostTree: HostTree | undefined
}

/** Tells create that it is its turn, and waits until it has done its part. */
export function planGate(plan: Plan, { report, go }: { report: number; go: number }): void {
  planReportWaiting(plan, "report that it is create's turn", report)
  // End of file instead of the byte: what create had to do failed, or create is gone.
  planAwaitByte(plan, 'wait for create', go, { demanded: true })
}
