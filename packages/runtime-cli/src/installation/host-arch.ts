import type { Arch } from '@crio-lxc/core/abi/arch'
import { arch } from '@crio-lxc/core/sys/syscall'

/** What the executor is built for here. */
export function hostArch(): Arch {
  return arch
}
