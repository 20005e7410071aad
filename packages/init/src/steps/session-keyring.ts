import { KEYCTL_JOIN_SESSION_KEYRING } from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'

/**
 * A session keyring of the process's own instead of the runtime's caller's, whose keys it would possess (session-keyring(7));
 * as root of the container, before the user changes. Not liblxc's, which goes on without one when the quota of its user is used up.
 */
export function planSessionKeyring(plan: Plan): void {
  // The kernel has no keys, or a filter around the runtime forbids the call: to the container as well.
  plan.step('make a session keyring', 'keyctl', [KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0], {
    ignore: ['ENOSYS', 'EPERM', 'EACCES'],
  })
}
