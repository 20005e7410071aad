import type { Arch } from '../../../abi/arch.ts'
import { Plan, planTag } from '../../../plan/plan.ts'

/**
 * A process that holds a scope until the container's first has joined it: a scope begins with a process, and ends with
 * the last. It ends with the pipe `hold`, so a create that dies leaves no scope behind.
 */
export function planPlaceholder(arch: Arch, hold: number): Plan {
  const plan = new Plan(planTag.wait, arch)
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step('hold the scope', 'read', [hold, byte, 1])
  return plan
}
