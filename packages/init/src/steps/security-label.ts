/**
 * Steps that label the process for the host's security module; the label takes effect at its execve. The files are
 * written through a procfs that no mount of the container can cover (CVE-2019-16884, CVE-2025-52881), and in one go
 * with opening them: the kernel refuses a writer whose credentials are not the opener's.
 */
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_PATH,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_XDEV,
} from '@crio-lxc/core/abi/constants'
import type { Process } from '@crio-lxc/core/oci/spec'
import type { Arg, Plan, Slot } from '@crio-lxc/core/plan/plan'
import { openHow } from '@crio-lxc/core/plan/structs'

/** Whether process needs a procfs from `planSecurityLabels`' caller. */
export function isLabelled({ apparmorProfile, selinuxLabel }: Process): boolean {
  return Boolean(apparmorProfile || selinuxLabel)
}

/** The runtime's own /proc, for a process that has not entered the container yet. */
export function planOpenHostProc(plan: Plan, process: Process): Slot | undefined {
  if (!isLabelled(process)) return undefined
  const proc = plan.slot('procfs')
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
  plan.step("open the host's /proc for labels", 'openat', [AT_FDCWD, plan.string('/proc'), flags], { result: proc })
  return proc
}

/** `proc`: a directory fd of a procfs, which is closed. */
export function planSecurityLabels(plan: Plan, { apparmorProfile, selinuxLabel }: Process, proc: Arg): void {
  if (apparmorProfile)
    planWrite(plan, { proc, file: 'self/attr/apparmor/exec', text: `exec ${apparmorProfile}` }, 'apparmorProfile')
  if (selinuxLabel) planWrite(plan, { proc, file: 'self/attr/exec', text: selinuxLabel }, 'selinuxLabel')
  plan.step('close the procfs for labels', 'close', [proc])
}

interface Write {
  readonly proc: Arg
  readonly file: string
  readonly text: string
}

function planWrite(plan: Plan, { proc, file, text }: Write, field: string): void {
  const fd = plan.slot(file)
  const how = openHow(plan, {
    flags: O_WRONLY | O_CLOEXEC,
    resolve: RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
  })
  const value = plan.string(text)
  plan.step(`open ${file} for process.${field}`, 'openat2', [proc, plan.string(file), how, 24], { result: fd })
  plan.step(`set process.${field}`, 'write', [fd, value, value.length])
  plan.step(`close ${file}`, 'close', [fd])
}
