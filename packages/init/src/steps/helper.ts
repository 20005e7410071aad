import { PR_SET_DUMPABLE, PR_SET_PDEATHSIG, SIGKILL } from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'

/** The first steps of a process of the host that is beside a container while the runtime needs it. */
export function planHelper(plan: Plan): void {
  plan.step('end with the runtime', 'prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0])
  // Others may be in the namespace that it joins (CVE-2016-9962).
  plan.step('forbid tracing', 'prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0])
}
