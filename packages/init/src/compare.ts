/** Steps that compare, with futex(2): the executor itself compares nothing. */
import { AT_EMPTY_PATH } from '@crio-lxc/core/abi/constants'
import { type Arg, Bytes, type Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'

const FUTEX_CMP_REQUEUE = 4

export interface Comparison {
  readonly what: string
  /** A structure that a step has filled, and where in it the 32-bit word is: a multiple of 4. */
  readonly of: Bytes
  readonly offset: number
  /** Of a slot the lower 32 bits count. */
  readonly value: number | Slot
}

/** Goes on at `differs` unless the word has the value: EAGAIN says so, and when it has it nobody is requeued. */
export function planCompare(plan: Plan, { what, of, offset, value }: Comparison, differs: Label): void {
  const word = new Bytes(of.offset + offset, 4, of.show)
  plan.step(what, 'futex', [word, FUTEX_CMP_REQUEUE, 0, 0, word, value], { ignore: ['EAGAIN'], onIgnored: differs })
}

/** Room for what the kernel tells. */
export function answer(plan: Plan, bytes: number): Bytes {
  return plan.struct(
    bytes,
    () => '{}',
    () => undefined,
  )
}

/** struct statx (statx(2)): its size, and where in it what is compared. */
const STATX_BYTES = 256
export const statxOffset = { gid: 0x18, rdevMajor: 0x80, rdevMinor: 0x84, mountId: 0x90 } as const

/** What statx(2) with `mask` says of the open `fd`. */
export function planStatx(plan: Plan, { what, fd, mask }: { what: string; fd: Arg; mask: number }): Bytes {
  const statx = answer(plan, STATX_BYTES)
  plan.step(what, 'statx', [fd, plan.string(''), AT_EMPTY_PATH, mask, statx])
  return statx
}

/** sizeof(struct statfs); f_type is its first word. */
const STATFS_BYTES = 120

/** Goes on at `differs` unless the open `fd` lies on a filesystem of the kind `magic` (statfs(2)). */
export function planCompareFilesystem(
  plan: Plan,
  { what, fd, magic }: { what: string; fd: Slot; magic: number },
  differs: Label,
): void {
  const statfs = answer(plan, STATFS_BYTES)
  plan.step(`see what ${what} lies on`, 'fstatfs', [fd, statfs])
  planCompare(plan, { what: `see whether ${what} is on that filesystem`, of: statfs, offset: 0, value: magic }, differs)
}
