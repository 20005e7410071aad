/**
 * Steps that set linux.timeOffsets. Not liblxc's `lxc.time.offset`, which takes seconds or nanoseconds of a clock and not
 * both (docs/notes/liblxc.md).
 */
import { O_CLOEXEC, O_WRONLY, RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV } from '../abi/constants.ts'
import type { TimeOffset } from '../oci/linux.ts'
import type { Arg, Plan, Slot } from './plan.ts'
import { openHow } from './structs.ts'

/**
 * Of the time namespace that this process has made for its children. Each clock through an fd of its own, because the kernel
 * takes writes at the beginning of the file only; `proc` is an fd of a procfs.
 */
export function planTimeOffsets(plan: Plan, offsets: Readonly<Record<string, TimeOffset>>, proc: Arg): void {
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

/** Opens a file of this process. */
export function openSelf(plan: Plan, { proc, file, flags }: OwnFile): Slot {
  const fd = plan.slot(`self/${file}`)
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS
  const how = openHow(plan, { flags: flags | O_CLOEXEC, resolve })
  plan.step(`open ${fd.name} for linux.timeOffsets`, 'openat2', [proc, plan.string(fd.name), how, 24], { result: fd })
  return fd
}
