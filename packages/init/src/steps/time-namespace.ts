/**
 * Steps for a new time namespace and linux.timeOffsets. Not liblxc's `lxc.time.offset`, which takes seconds or
 * nanoseconds of a clock and not both (docs/notes/liblxc-5.0.md).
 */
import {
  CLONE_NEWTIME,
  O_CLOEXEC,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_XDEV,
} from '@crio-lxc/core/abi/constants'
import type { TimeOffset } from '@crio-lxc/core/oci/linux'
import type { Arg, Plan, Slot } from '@crio-lxc/core/plan/plan'
import { openHow } from '@crio-lxc/core/plan/structs'

/**
 * unshare(2) makes the namespace for children only, so that its clocks can be set before anybody is in it; then this
 * process enters it too. `proc` is a procfs of our own (private-proc.ts).
 */
export function planTimeNamespace(plan: Plan, offsets: Readonly<Record<string, TimeOffset>>, proc: Arg): void {
  plan.step('make the time namespace', 'unshare', [CLONE_NEWTIME])
  planOffsets(plan, offsets, proc)
  const directory = openSelf(plan, { proc, file: 'ns', flags: O_PATH | plan.arch.O_DIRECTORY })
  const namespace = plan.slot('time namespace')
  plan.step('open the time namespace', 'openat', [directory, plan.string('time_for_children'), O_RDONLY | O_CLOEXEC], {
    result: namespace,
  })
  plan.step('enter the time namespace', 'setns', [namespace, CLONE_NEWTIME])
  for (const fd of [namespace, directory]) plan.step(`close ${fd.name}`, 'close', [fd])
}

/** Each clock through an fd of its own, because the kernel takes writes at the beginning of the file only. */
function planOffsets(plan: Plan, offsets: Readonly<Record<string, TimeOffset>>, proc: Arg): void {
  for (const [clock, { secs = 0, nanosecs = 0 }] of Object.entries(offsets)) {
    const file = openSelf(plan, { proc, file: 'timens_offsets', flags: O_WRONLY })
    const text = plan.string(`${clock} ${secs} ${nanosecs}\n`)
    plan.step(`set linux.timeOffsets.${clock} to ${secs} s and ${nanosecs} ns`, 'write', [file, text, text.length])
    plan.step(`close ${file.name}`, 'close', [file])
  }
}

interface OwnFile {
  readonly proc: Arg
  /** Below /proc/self. */
  readonly file: string
  readonly flags: number
}

function openSelf(plan: Plan, { proc, file, flags }: OwnFile): Slot {
  const fd = plan.slot(`self/${file}`)
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS
  const how = openHow(plan, { flags: flags | O_CLOEXEC, resolve })
  plan.step(`open ${fd.name} for linux.timeOffsets`, 'openat2', [proc, plan.string(fd.name), how, 24], { result: fd })
  return fd
}
