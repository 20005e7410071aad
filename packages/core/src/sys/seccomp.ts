import type { Seccomp } from '../oci/linux.ts'
import { filterFlags, toFilter } from '../seccomp/filter.ts'
import { exportBpf } from './libseccomp.ts'

/** linux.seccomp as seccomp(2) takes it: struct sock_filter[] and SECCOMP_FILTER_FLAG_*. */
export function compileSeccomp(seccomp: Seccomp): { program: Uint8Array; flags: number } {
  return { program: exportBpf(toFilter(seccomp)), flags: filterFlags(seccomp) }
}
