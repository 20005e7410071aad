import type { Arch } from '@crio-lxc/core/abi/arch'
import { GroupTimes } from '@crio-lxc/core/plan/group-times'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { STAGE_INIT } from '@crio-lxc/core/plan/stage'
import { planAwaitByte } from './steps/await-byte.ts'
import { planPrologue } from './steps/process.ts'

export interface WaitInputs {
  readonly arch: Arch
  /** Read end of the pipe on which create says that everything is written. */
  readonly go: number
  /** The fd that will hold the container's plan. */
  readonly plan: number
  /** Given when the plan is to note when it begins what: write end of the pipe that create reads. */
  readonly traceReport?: number | undefined
}

/**
 * What init does first: wait for its plan, which create compiles while liblxc makes the namespaces. End of file instead
 * of the byte: create is gone, and so must be everything it began.
 */
export function planWait({ arch, go, plan: next, traceReport }: WaitInputs): Plan {
  const plan = new Plan(planTag.wait, arch)
  if (traceReport !== undefined) plan.times = new GroupTimes(plan)
  plan.times?.group('wait for the plan')
  planPrologue(plan)
  planAwaitByte(plan, 'wait for the plan', go, { demanded: true })
  plan.step('close the pipe', 'close', [go])
  plan.times?.group('load the plan')
  if (traceReport !== undefined) plan.times?.report(traceReport)
  const args = ['init', String(next)]
  plan.step('run the plan', 'execve', [plan.string(`/${STAGE_INIT}`), plan.strings(args), plan.strings([])])
  return plan
}
