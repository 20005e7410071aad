/**
 * Steps for linux.sysctl. Values are written through a procfs that the plan mounts for itself and attaches nowhere,
 * so no mount or symlink of the container can redirect the write (CVE-2025-52881).
 */
import {
  FSCONFIG_CMD_CREATE,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  O_CLOEXEC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '@crio-lxc/core/abi/constants'
import { sysctlFile } from '@crio-lxc/core/oci/sysctl-rules'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { openHow } from '@crio-lxc/core/plan/structs'

/** Which keys may be set is decided when config.json is validated (core/oci/sysctl-rules.ts). */
export function planSysctls(plan: Plan, sysctl: Readonly<Record<string, string>>): void {
  const entries = Object.entries(sysctl)
  if (entries.length === 0) return
  const context = plan.slot('procfs context')
  const proc = plan.slot('procfs')
  plan.step('open a procfs for sysctls', 'fsopen', [plan.string('proc'), FSOPEN_CLOEXEC], { result: context })
  plan.step('create the procfs for sysctls', 'fsconfig', [context, FSCONFIG_CMD_CREATE, 0, 0, 0])
  plan.step('mount the procfs for sysctls', 'fsmount', [context, FSMOUNT_CLOEXEC, 0], { result: proc })
  plan.step('close the procfs context', 'close', [context])
  const how = openHow(plan, {
    flags: O_WRONLY | O_CLOEXEC,
    resolve: RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
  })
  for (const [key, value] of entries) {
    const file = plan.slot(key)
    const text = plan.string(value)
    plan.step(`open sysctl ${key}`, 'openat2', [proc, plan.string(`sys/${sysctlFile(key)}`), how, 24], {
      result: file,
    })
    plan.step(`set sysctl ${key}`, 'write', [file, text, text.length])
    plan.step(`close sysctl ${key}`, 'close', [file])
  }
  plan.step('close the procfs for sysctls', 'close', [proc])
}
