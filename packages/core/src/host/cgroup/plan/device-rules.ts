/** linux.resources.devices as rules in order, with those that every container needs (config-linux.md). PURE. */
import { SpecError } from '../../../errors/runtime-error.ts'
import type { DeviceRule as SpecRule } from '../../../oci/resources.ts'

export interface DeviceRule {
  readonly allow: boolean
  /** `a`: b and c. */
  readonly type: 'a' | 'b' | 'c'
  /** undefined: any. */
  readonly major: number | undefined
  readonly minor: number | undefined
  /** Some of r, w and m. */
  readonly access: string
  /** Where config.json has it; undefined for the rules that every container has. */
  readonly field: string | undefined
}

/** Making nodes is harmless, using them is not; then the default devices and terminals. */
const always: readonly DeviceRule[] = [
  { allow: true, type: 'c', major: undefined, minor: undefined, access: 'm', field: undefined },
  { allow: true, type: 'b', major: undefined, minor: undefined, access: 'm', field: undefined },
  ...(
    [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 2],
      [136, undefined],
    ] as const
  ).map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm', field: undefined }) as const),
]

/** Each rule is compared with those before it. A host has some hundred devices, and a wildcard is one rule. */
const MOST_RULES = 2000

/** The rules in the order in which they apply. Throws SpecError for more than a document means that is not made to exhaust us. */
export function planDeviceRules(rules: readonly SpecRule[] = []): DeviceRule[] {
  if (rules.length > MOST_RULES) {
    const problem = `must have at most ${MOST_RULES} items, got ${rules.length}: use wildcards`
    throw new SpecError('linux.resources.devices', problem)
  }
  return [...rules.map(toRule), ...always]
}

function toRule({ allow, type, major, minor, access }: SpecRule, index: number): DeviceRule {
  const number = (value: number | undefined): number | undefined =>
    value === undefined || value < 0 ? undefined : value
  return {
    allow,
    type: type || 'a',
    major: number(major),
    minor: number(minor),
    access: access || 'rwm',
    field: `linux.resources.devices[${index}]`,
  }
}
