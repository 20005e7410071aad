/**
 * What a list of device rules amounts to: a default and the exceptions to it. That is the form in which the kernel's
 * v1 controller keeps them (security/device_cgroup.c), and from which the v2 program is made, so both versions of
 * cgroups decide alike. PURE.
 */
import { SpecError } from '../../../errors/runtime-error.ts'
import type { DeviceRule } from './device-rules.ts'

export interface DevicePolicy {
  /** What holds for a device without an exception. */
  readonly allow: boolean
  /**
   * No two are of the same type, major and minor. Where the default is to refuse, an access is granted when one exception
   * has all of it; where it is to allow, an access is refused when an exception has any of it.
   */
  readonly exceptions: readonly DeviceException[]
}

export interface DeviceException {
  readonly type: 'b' | 'c'
  /** undefined: any. */
  readonly major: number | undefined
  readonly minor: number | undefined
  /** Some of r, w and m, in this order. */
  readonly access: string
  /** The rule of config.json that asks for it; undefined for what every container has. */
  readonly field: string | undefined
}

/**
 * Applies the rules in order to a container that may use nothing, as runc does on both versions. Throws SpecError for a
 * rule that would except something from a wildcard exception, which v1 ignores without a word.
 */
export function planDevicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let policy: DevicePolicy = { allow: false, exceptions: [] }
  for (const rule of rules) {
    if (rule.type === 'a' && isWhole(rule)) policy = { allow: rule.allow, exceptions: [] }
    else for (const type of rule.type === 'a' ? typesOfAll : [rule.type]) policy = apply(policy, { ...rule, type })
  }
  return policy
}

const typesOfAll = ['c', 'b'] as const

function isWhole({ major, minor, access }: DeviceRule): boolean {
  return major === undefined && minor === undefined && [...'rwm'].every((letter) => access.includes(letter))
}

type Selection = DeviceRule & { readonly type: 'b' | 'c' }

function apply({ allow, exceptions }: DevicePolicy, rule: Selection): DevicePolicy {
  return { allow, exceptions: rule.allow === allow ? except(exceptions, rule) : add(exceptions, rule) }
}

function add(exceptions: readonly DeviceException[], rule: Selection): DeviceException[] {
  const { type, major, minor } = rule
  const same = exceptions.find((exception) => isSame(exception, rule))
  const access = lettersOf((letter) => rule.access.includes(letter) || (same?.access.includes(letter) ?? false))
  const added = { type, major, minor, access, field: same ? same.field : rule.field }
  return same ? exceptions.map((exception) => (exception === same ? added : exception)) : [...exceptions, added]
}

/** Takes the rule's access from the exceptions that it covers. */
function except(exceptions: readonly DeviceException[], rule: Selection): DeviceException[] {
  return exceptions.flatMap((exception) => {
    if (!overlaps(exception, rule)) return [exception]
    if (isSame(exception, rule) || (!rule.allow && covers(rule, exception))) {
      const access = lettersOf((letter) => exception.access.includes(letter) && !rule.access.includes(letter))
      return access === '' ? [] : [{ ...exception, access }]
    }
    // An exception that stays is narrower than a rule that allows: what was refused by name stays refused (runc).
    if (covers(rule, exception)) return [exception]
    const [wildcard, hole] = [describe(exception, !rule.allow), describe(rule, rule.allow)]
    throw new SpecError(
      rule.field ?? exception.field ?? 'linux.resources.devices',
      `${hole} cannot take a part of ${wildcard} back: name the devices one by one instead of the wildcard`,
    )
  })
}

function lettersOf(has: (letter: string) => boolean): string {
  return [...'rwm'].filter(has).join('')
}

type Device = Pick<DeviceException, 'type' | 'major' | 'minor'>

function isSame(a: Device, b: Device): boolean {
  return a.type === b.type && a.major === b.major && a.minor === b.minor
}

function overlaps(exception: DeviceException, rule: Selection): boolean {
  const meet = (a: number | undefined, b: number | undefined): boolean => a === undefined || b === undefined || a === b
  return (
    exception.type === rule.type &&
    meet(exception.major, rule.major) &&
    meet(exception.minor, rule.minor) &&
    [...rule.access].some((letter) => exception.access.includes(letter))
  )
}

/** Every device of `b` is one of `a`, given that they overlap. */
function covers(a: Device, b: Device): boolean {
  return (a.major === undefined || a.major === b.major) && (a.minor === undefined || a.minor === b.minor)
}

/** `"deny c 1:* rw"`. */
function describe(device: Device & { readonly access: string }, allow: boolean): string {
  return JSON.stringify(`${allow ? 'allow' : 'deny'} ${deviceLine(device)}`)
}

/** The line that devices.allow and devices.deny take (cgroup-v1/devices.rst), which people read too. */
export function deviceLine({ type, major, minor, access }: Device & { readonly access: string }): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`
}
