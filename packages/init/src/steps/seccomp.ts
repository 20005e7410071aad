/** linux.seccomp: the filter, and its listener's way to the agent. */
import { SECCOMP_SET_MODE_FILTER } from '@crio-lxc/core/abi/constants'
import { type Arg, type Plan, REPORT } from '@crio-lxc/core/plan/plan'
import { listenerRecord, planReport } from '@crio-lxc/core/plan/record'
import { planAwaitByte } from './await-byte.ts'

/** A seccomp filter as seccomp(2) takes it. */
export interface SeccompFilter {
  /** struct sock_filter[], 8 bytes each. */
  readonly program: Uint8Array
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number
  /** seccomp(2) returns a listener, which the process reports before it goes on. */
  readonly notifies: boolean
}

/** Waits for a byte from `acknowledge`, when the filter notifies, until the agent has the listener. */
export function planSeccomp(
  plan: Plan,
  { program, flags, notifies }: SeccompFilter,
  acknowledge: Arg | undefined,
): void {
  const filter = plan.blob(program, () => `[${program.length / 8} instructions]`)
  const fprog = plan.struct(
    16,
    () => `{${program.length / 8} instructions}`,
    (view, at) => {
      view.setUint16(at, program.length / 8, true)
      view.setUint32(at + 8, filter.address >>> 0, true)
      view.setUint32(at + 12, Math.floor(filter.address / 2 ** 32), true)
    },
  )
  const load: readonly Arg[] = [SECCOMP_SET_MODE_FILTER, flags, fprog]
  if (!notifies || acknowledge === undefined) {
    plan.step('load linux.seccomp', 'seccomp', load)
    return
  }
  const { record, value: listener } = listenerRecord(plan)
  plan.step('load linux.seccomp', 'seccomp', load, { result: listener })
  // From here on the filter holds for these calls too. A write is all that must be allowed: the agent answers the rest.
  planReport(plan, 'report the seccomp listener', REPORT, record)
  // The listener is closed by execve. End of file: nobody has taken it, and every notified call would fail.
  planAwaitByte(plan, 'wait until the seccomp agent has the listener', acknowledge, { demanded: true })
}
