import type { Arg, Plan } from '@crio-lxc/core/plan/plan'

/** Waits until there is a byte, or end of file; `demanded`: the end is a failure. */
export function planAwaitByte(plan: Plan, what: string, fd: Arg, { demanded }: { demanded: boolean }): void {
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step(what, 'read', [fd, byte, 1], demanded ? { zeroIsFailure: true } : {})
}
