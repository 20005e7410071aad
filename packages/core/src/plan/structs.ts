/** The kernel structures that plans point at, each with the way a person reads it. */
import { RLIMIT } from '../abi/constants.ts'
import {
  MOUNT_ATTR_BYTES,
  MOUNT_ATTR_CLR,
  MOUNT_ATTR_PROPAGATION,
  MOUNT_ATTR_SET,
  MOUNT_ATTR_USERNS_FD,
  OPEN_HOW_BYTES,
  OPEN_HOW_FLAGS,
  OPEN_HOW_RESOLVE,
  RLIMIT_BYTES,
  RLIMIT_CUR,
  RLIMIT_MAX,
} from '../abi/layouts.ts'
import { type Bytes, type Plan, setUint64 } from './plan.ts'

/** struct open_how of openat2(2). */
export function openHow(plan: Plan, { flags, resolve }: { flags: number; resolve: number }): Bytes {
  return plan.struct(
    OPEN_HOW_BYTES,
    (spelling) => {
      const named = spelling?.member('open flags', flags) ?? octal(flags)
      return `{flags=${named}, resolve=${spelling?.member('resolve', resolve) ?? hex(resolve)}}`
    },
    (view, at) => {
      setUint64(view, at + OPEN_HOW_FLAGS, flags)
      setUint64(view, at + OPEN_HOW_RESOLVE, resolve)
    },
  )
}

export interface MountAttr {
  readonly set: number
  readonly clear: number
  /** MS_PRIVATE and its kin, or 0 for no change. */
  readonly propagation?: number
  /** fd of the user namespace whose maps MOUNT_ATTR_IDMAP takes. */
  readonly userNamespace?: number
}

/** struct mount_attr of mount_setattr(2). */
export function mountAttr(plan: Plan, { set, clear, propagation = 0, userNamespace = 0 }: MountAttr): Bytes {
  return plan.struct(
    MOUNT_ATTR_BYTES,
    (spelling) => {
      const [attrSet, attrClr] = [set, clear].map((attr) => spelling?.member('mount attributes', attr) ?? hex(attr))
      const change = spelling?.member('mount flags', propagation) ?? hex(propagation)
      return `{attr_set=${attrSet}, attr_clr=${attrClr}, propagation=${change}, userns_fd=${userNamespace}}`
    },
    (view, at) => {
      setUint64(view, at + MOUNT_ATTR_SET, set)
      setUint64(view, at + MOUNT_ATTR_CLR, clear)
      setUint64(view, at + MOUNT_ATTR_PROPAGATION, propagation)
      setUint64(view, at + MOUNT_ATTR_USERNS_FD, userNamespace)
    },
  )
}

/** struct rlimit64 of prlimit(2). */
export function rlimit64(plan: Plan, soft: number | bigint, hard: number | bigint): Bytes {
  return plan.struct(
    RLIMIT_BYTES,
    () => `{soft=${soft}, hard=${hard}}`,
    (view, at) => {
      setUint64(view, at + RLIMIT_CUR, soft)
      setUint64(view, at + RLIMIT_MAX, hard)
    },
  )
}

/** The resource of a spec's rlimit name. */
export function rlimitResource(type: keyof typeof RLIMIT): number {
  return RLIMIT[type]
}

/** An array of 32-bit ids, as setgroups(2) takes. */
export function idArray(plan: Plan, ids: readonly number[]): Bytes {
  return plan.struct(
    4 * ids.length,
    () => `[${ids.join(', ')}]`,
    (view, at) => {
      ids.forEach((id, index) => {
        view.setUint32(at + 4 * index, id, true)
      })
    },
  )
}

/** A set of numbers as bits, in 64-bit words, as sched_setaffinity(2) and set_mempolicy(2) take. */
export function bitmask(plan: Plan, numbers: readonly number[], show: string): Bytes {
  // Not as arguments of one call, which takes 65,534.
  const greatest = numbers.reduce((most, number) => Math.max(most, number), 0)
  const words = Math.max(16, Math.ceil((greatest + 1) / 64))
  return plan.struct(
    8 * words,
    () => `{${show}}`,
    (view, at) => {
      for (const number of numbers) {
        const byte = at + (number >> 3)
        view.setUint8(byte, view.getUint8(byte) | (1 << (number & 7)))
      }
    },
  )
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`
}

function octal(value: number): string {
  return `0${value.toString(8)}`
}
