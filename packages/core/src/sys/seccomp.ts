import type { Seccomp } from '../oci/linux.ts'
import { filterFlags, notifies, toFilter } from '../seccomp/filter.ts'
import { exportBpf } from './libseccomp.ts'

export interface CompiledSeccomp {
  /** struct sock_filter[] */
  readonly program: Uint8Array
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number
  /** seccomp(2) returns a listener for an agent. */
  readonly notifies: boolean
}

/** linux.seccomp as seccomp(2) takes it. */
export function compileSeccomp(seccomp: Seccomp): CompiledSeccomp {
  return { program: exportBpf(toFilter(seccomp)), flags: filterFlags(seccomp), notifies: notifies(seccomp) }
}
