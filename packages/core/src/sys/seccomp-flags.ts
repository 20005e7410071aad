import { SECCOMP_SET_MODE_FILTER } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import type { SeccompFlag } from '../oci/linux.ts'
import { flags } from '../seccomp/filter.ts'
import { attempt } from './syscall.ts'

/** The flags that the running kernel knows: without a filter it says EFAULT to those and EINVAL to others; seccomp(2). */
export function kernelSeccompFlags(): SeccompFlag[] {
  return (Object.keys(flags) as SeccompFlag[]).filter((name) => {
    // The kernel takes this flag with a listener only (SECCOMP_FILTER_FLAG_NEW_LISTENER).
    const flag = name === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' ? flags[name] | 8 : flags[name]
    return attempt('seccomp', SECCOMP_SET_MODE_FILTER, flag, null) === -errnoTable.EFAULT[0]
  })
}
