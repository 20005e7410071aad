import type { Plan } from '@crio-lxc/core/plan/plan'

/** Closes every fd from 3 on that the container must not have (CVE-2024-21626), with `kept` as the only gaps. */
export function planCloseAllBut(plan: Plan, kept: readonly number[]): void {
  let first = 3
  for (const fd of [...kept].sort((a, b) => a - b)) {
    if (fd > first) plan.step(`close fds ${first} to ${fd - 1}`, 'close_range', [first, fd - 1, 0])
    first = Math.max(first, fd + 1)
  }
  plan.step(`close fds from ${first}`, 'close_range', [first, 0xffffffff, 0])
}
