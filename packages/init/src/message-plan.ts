import type { Arch } from '@crio-lxc/core/abi/arch'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { planReportReady } from '@crio-lxc/core/plan/record'
import { planHelper } from './steps/helper.ts'

export interface MessageInputs {
  readonly arch: Arch
  /** Takes the text. */
  readonly output: number
  readonly text: string
  /** Write end of the pipe that says when it is written, or what failed. */
  readonly report: number
}

/** A process that writes a text where nobody may read, and which can be ended when it takes too long. */
export function planMessage({ arch, output, text, report }: MessageInputs): Plan {
  const plan = new Plan(planTag.message, arch)
  planHelper(plan)
  const bytes = plan.string(text)
  plan.step('write the message', 'write', [output, bytes, bytes.length])
  planReportReady(plan, 'report that it is written', report)
  return plan
}
