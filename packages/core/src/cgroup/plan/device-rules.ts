/** linux.resources.devices as rules in order, with those that every container needs (config-linux.md). PURE. */
import type { DeviceRule as SpecRule } from '../../oci/resources.ts'

export interface DeviceRule {
  readonly allow: boolean
  /** Every device when `a`: major, minor and access then say nothing. */
  readonly type: 'a' | 'b' | 'c'
  /** undefined: any. */
  readonly major: number | undefined
  readonly minor: number | undefined
  /** Some of r, w and m. */
  readonly access: string
}

/** Making nodes is harmless, using them is not; then the default devices, terminals and /dev/net/tun's kin. */
const always: readonly DeviceRule[] = [
  { allow: true, type: 'c', major: undefined, minor: undefined, access: 'm' },
  { allow: true, type: 'b', major: undefined, minor: undefined, access: 'm' },
  ...(
    [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 1],
      [5, 2],
      [136, undefined],
    ] as const
  ).map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }) as const),
]

/** The rules in the order in which they apply; none when the spec has none, and then nothing is restricted. */
export function planDeviceRules(rules: readonly SpecRule[] | undefined): DeviceRule[] {
  if (!rules || rules.length === 0) return []
  return [...rules.map(toRule), ...always]
}

function toRule({ allow, type, major, minor, access }: SpecRule): DeviceRule {
  const number = (value: number | undefined): number | undefined =>
    value === undefined || value < 0 ? undefined : value
  return {
    allow,
    type: type || 'a',
    major: number(major),
    minor: number(minor),
    access: access || 'rwm',
  }
}

/** The line that devices.allow and devices.deny take (cgroup-v1/devices.rst). */
export function deviceLine({ type, major, minor, access }: DeviceRule): string {
  return type === 'a' ? 'a' : `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`
}
