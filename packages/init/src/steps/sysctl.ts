import {
  O_CLOEXEC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '@crio-lxc/core/abi/constants'
import { fieldOf } from '@crio-lxc/core/oci/field-path'
import { sysctlFile } from '@crio-lxc/core/oci/sysctl-rules'
import type { Arg, Plan } from '@crio-lxc/core/plan/plan'
import { openHow } from '@crio-lxc/core/plan/structs'

const UNKNOWN = "this kernel has no such parameter in the container's namespaces"
/** Of the value. */
const REFUSED = 'the parameter does not take this value'
const ofValues = { EINVAL: REFUSED, ERANGE: REFUSED }
const advice = { ENOENT: UNKNOWN, ENOTDIR: UNKNOWN }

/**
 * Steps for linux.sysctl, through the procfs `proc` (private-proc.ts). Which keys may be set is decided when config.json
 * is validated (core/oci/sysctl-rules.ts).
 */
export function planSysctls(plan: Plan, sysctl: Readonly<Record<string, string>>, proc: Arg): void {
  const how = openHow(plan, {
    flags: O_WRONLY | O_CLOEXEC,
    resolve: RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
  })
  for (const [key, value] of Object.entries(sysctl)) {
    const file = plan.slot(key)
    const text = plan.string(value)
    const field = fieldOf('linux.sysctl', key)
    plan.step(`open ${field}`, 'openat2', [proc, plan.string(`sys/${sysctlFile(key)}`), how, 24], {
      result: file,
      advice,
    })
    plan.step(`set ${field}`, 'write', [file, text, text.length], { advice: ofValues })
    plan.step(`close ${field}`, 'close', [file])
  }
}
