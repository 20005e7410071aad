/** Steps for a new time namespace. */
import { CLONE_NEWTIME, O_CLOEXEC, O_PATH, O_RDONLY } from '@crio-lxc/core/abi/constants'
import type { TimeOffset } from '@crio-lxc/core/oci/linux'
import type { Arg, Plan } from '@crio-lxc/core/plan/plan'
import { openSelf, planTimeOffsets } from '@crio-lxc/core/plan/time-offsets'

/**
 * unshare(2) makes the namespace for children only, so that its clocks can be set before anybody is in it; then this
 * process enters it too. `proc` is a procfs of our own (private-proc.ts).
 */
export function planTimeNamespace(plan: Plan, offsets: Readonly<Record<string, TimeOffset>>, proc: Arg): void {
  plan.step('make the time namespace', 'unshare', [CLONE_NEWTIME])
  planTimeOffsets(plan, offsets, proc)
  const directory = openSelf(plan, { proc, file: 'ns', flags: O_PATH | plan.arch.O_DIRECTORY })
  const namespace = plan.slot('time namespace')
  plan.step('open the time namespace', 'openat', [directory, plan.string('time_for_children'), O_RDONLY | O_CLOEXEC], {
    result: namespace,
  })
  plan.step('enter the time namespace', 'setns', [namespace, CLONE_NEWTIME])
  for (const fd of [namespace, directory]) plan.step(`close ${fd.name}`, 'close', [fd])
}
