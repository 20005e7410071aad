/** capabilities(7): names, numbers and sets as bit masks. */
import { CAP_SYS_ADMIN } from '../abi/constants.ts'
import { SpecError } from '../errors/runtime-error.ts'
import type { Capabilities } from './spec.ts'

/** Name to bit number, from linux/capability.h, Linux 5.9 to 6.x. */
export const capabilityBit = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_LINUX_IMMUTABLE: 9,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_BROADCAST: 11,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_IPC_OWNER: 15,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_PACCT: 20,
  CAP_SYS_ADMIN,
  CAP_SYS_BOOT: 22,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
  CAP_SYS_TIME: 25,
  CAP_SYS_TTY_CONFIG: 26,
  CAP_MKNOD: 27,
  CAP_LEASE: 28,
  CAP_AUDIT_WRITE: 29,
  CAP_AUDIT_CONTROL: 30,
  CAP_SETFCAP: 31,
  CAP_MAC_OVERRIDE: 32,
  CAP_MAC_ADMIN: 33,
  CAP_SYSLOG: 34,
  CAP_WAKE_ALARM: 35,
  CAP_BLOCK_SUSPEND: 36,
  CAP_AUDIT_READ: 37,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40,
} as const

export type CapabilityName = keyof typeof capabilityBit

/** True for a name of the table, in its spelling. */
export function isCapabilityName(name: string): name is CapabilityName {
  return Object.hasOwn(capabilityBit, name)
}

/**
 * The set as the kernel's 64-bit mask. Throws a SpecError for a name that is not in the table; `pointer` is the list's
 * field in the spec's spelling, for instance `process.capabilities.bounding`.
 */
export function toCapabilityMask(names: readonly string[] | undefined, pointer: string): bigint {
  let mask = 0n
  for (const name of names ?? []) {
    if (!isCapabilityName(name)) throw new SpecError(pointer, `unknown capability ${JSON.stringify(name)}`)
    mask |= 1n << BigInt(capabilityBit[name])
  }
  return mask
}

/** Those of a mask by bit number, in the order of the numbers. */
export function capabilityNames(mask: bigint): readonly CapabilityName[] {
  const names = Object.keys(capabilityBit) as CapabilityName[]
  return names.filter((name) => ((mask >> BigInt(capabilityBit[name])) & 1n) === 1n)
}

const capabilitySets = ['effective', 'bounding', 'inheritable', 'permitted', 'ambient'] as const

export interface Grantable {
  readonly sets: Capabilities
  /** One phrase for each name that was left out. */
  readonly leftOut: readonly string[]
}

/**
 * The sets without what cannot be granted: names that the kernel has nothing for, and bits outside `available`.
 * config.md, "capabilities": such a value is a warning and no failure, because the container only gets less.
 */
export function grantableCapabilities(sets: Capabilities, available: bigint): Grantable {
  const leftOut = new Map<string, string>()
  const keep = (name: string): boolean => {
    if (!isCapabilityName(name)) leftOut.set(name, `${name} (no such capability)`)
    else if (!(available & (1n << BigInt(capabilityBit[name])))) leftOut.set(name, `${name} (the runtime lacks it)`)
    return !leftOut.has(name)
  }
  // By name: an object of config.json may have other fields, which are nobody's business.
  const kept = capabilitySets.flatMap((set) => (sets[set] ? [[set, sets[set].filter(keep)] as const] : []))
  return { sets: Object.fromEntries(kept), leftOut: [...leftOut.values()] }
}
