import { type Arch, archOf } from '@crio-lxc/core/abi/arch'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/** What the executor is built for here. Throws RuntimeError `unsupported`. */
export function hostArch(): Arch {
  const known = archOf(process.arch)
  if (known) return known
  throw new RuntimeError('unsupported', `the processor architecture ${process.arch} is not supported: use x64 or arm64`)
}
