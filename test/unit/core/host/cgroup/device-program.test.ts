import { type DevicePolicy, planDevicePolicy } from '@crio-lxc/core/host/cgroup/plan/device-policy'
import { encodeInstructions, planDeviceProgram } from '@crio-lxc/core/host/cgroup/plan/device-program'
import { planDeviceRules } from '@crio-lxc/core/host/cgroup/plan/device-rules'
import type { DeviceRule } from '@crio-lxc/core/oci/resources'
import { describe, expect, test } from 'vitest'
import { type DeviceAccess, runDeviceProgram } from './bpf-interpreter.ts'

const denyAll: DeviceRule = { allow: false, access: 'rwm' }
const allowAll: DeviceRule = { allow: true, access: 'rwm' }

function policyOf(...rules: DeviceRule[]): DevicePolicy {
  return planDevicePolicy(planDeviceRules(rules))
}

/** `c 10:200 rw` against the program that the rules become. */
function isAllowed(access: string, ...rules: DeviceRule[]): boolean {
  const [type, device = '', letters = ''] = access.split(' ')
  const [major, minor] = device.split(':').map(Number) as [number, number]
  const program = encodeInstructions(planDeviceProgram(policyOf(...rules)))
  return runDeviceProgram(program, { type: type as 'b' | 'c', major, minor, access: letters }) === 1
}

describe('a program', () => {
  test.each([
    'c 1:3 rwm',
    'c 1:5 rw',
    'c 1:7 r',
    'c 1:8 r',
    'c 1:9 r',
    'c 5:0 rw',
    'c 5:2 rw',
    'c 136:0 rw',
    'c 136:1048575 rw',
    'c 1:1 m',
    'b 8:0 m',
  ])('grants every container %s', (access) => {
    expect(isAllowed(access, denyAll)).toBe(true)
  })

  test.each(['c 1:1 r', 'c 1:1 rm', 'c 10:200 rw', 'b 1:3 r', 'b 8:0 r', 'c 137:0 r', 'c 5:3 w'])(
    'refuses %s when no rule allows it',
    (access) => {
      expect(isAllowed(access, denyAll)).toBe(false)
    },
  )

  test.each<[string, DeviceRule, string[], string[]]>([
    [
      'a device',
      { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
      ['c 10:200 r', 'c 10:200 w', 'c 10:200 rw'],
      ['c 10:201 r', 'c 11:200 r', 'b 10:200 r', 'c 10:200 rwm'],
    ],
    ['reading', { allow: true, type: 'b', major: 8, minor: 0, access: 'r' }, ['b 8:0 r'], ['b 8:0 w', 'b 8:0 rw']],
    ['every minor', { allow: true, type: 'c', major: 10, access: 'r' }, ['c 10:0 r', 'c 10:4095 r'], ['c 9:0 r']],
    ['every major', { allow: true, type: 'c', minor: 7, access: 'r' }, ['c 3:7 r'], ['c 3:8 r']],
    ['-1 for any number', { allow: true, type: 'c', major: -1, minor: -1, access: 'w' }, ['c 3:4 w'], ['c 3:4 r']],
    ['every access by default', { allow: true, type: 'b', major: 8, minor: 1 }, ['b 8:1 rwm'], ['b 8:2 r']],
    ['both types', { allow: true, type: 'a', major: 8, access: 'r' }, ['b 8:1 r', 'c 8:1 r'], ['b 9:1 r', 'c 8:1 w']],
    [
      'numbers above 2^31',
      { allow: true, type: 'c', major: 0xffffffff, minor: 0x80000000, access: 'r' },
      ['c 4294967295:2147483648 r'],
      ['c 4294967294:2147483648 r', 'c 4294967295:0 r'],
    ],
  ])('allows %s', (_, rule, granted, refused) => {
    expect(granted.filter((access) => !isAllowed(access, denyAll, rule))).toEqual([])
    expect(refused.filter((access) => isAllowed(access, denyAll, rule))).toEqual([])
  })

  test('refuses everything that no rule allows, also without a rule that says so', () => {
    expect(isAllowed('c 10:200 r', { allow: true, type: 'c', major: 10, minor: 229 })).toBe(false)
  })

  test('refuses an access when any part of it is denied', () => {
    const deny: DeviceRule = { allow: false, type: 'b', major: 8, minor: 0, access: 'w' }
    expect(['r', 'w', 'rw'].map((access) => isAllowed(`b 8:0 ${access}`, allowAll, deny))).toEqual([true, false, false])
    expect(isAllowed('b 8:1 rw', allowAll, deny)).toBe(true)
  })

  test('lets a later rule win', () => {
    const device = { type: 'c', major: 10, minor: 200 } as const
    const [allow, deny] = [
      { ...device, allow: true, access: 'rwm' },
      { ...device, allow: false, access: 'w' },
    ]
    expect(isAllowed('c 10:200 w', denyAll, allow, deny)).toBe(false)
    expect(isAllowed('c 10:200 r', denyAll, allow, deny)).toBe(true)
    expect(isAllowed('c 10:200 w', denyAll, deny, allow)).toBe(true)
    expect(isAllowed('c 10:200 r', allow, denyAll)).toBe(false)
    expect(isAllowed('b 8:0 rw', denyAll, allowAll)).toBe(true)
  })

  test('a wildcard that denies takes back what was allowed by number', () => {
    const allow: DeviceRule = { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' }
    expect(isAllowed('c 10:200 r', denyAll, allow, { allow: false, type: 'c', major: 10, access: 'r' })).toBe(false)
    expect(isAllowed('c 10:200 w', denyAll, allow, { allow: false, type: 'c', major: 10, access: 'r' })).toBe(true)
  })

  test('is the encoding of struct bpf_insn', () => {
    const bytes = encodeInstructions(planDeviceProgram({ allow: true, exceptions: [] }))
    expect(Buffer.from(bytes).toString('hex').match(/.{16}/g)).toEqual([
      '6112000000000000',
      'bc23000000000000',
      '54020000ffff0000',
      '7403000010000000',
      '6114040000000000',
      '6115080000000000',
      'b400000001000000',
      '9500000000000000',
    ])
  })
})

describe('a rule is refused', () => {
  test('when it denies a part of what a wildcard allows', () => {
    const rules = [denyAll, { allow: true, type: 'c', major: 10 }, { allow: false, type: 'c', major: 10, minor: 200 }]
    expect(() => policyOf(...(rules as DeviceRule[]))).toThrow(
      'linux.resources.devices[2]: "deny c 10:200 rwm" cannot take a part of "allow c 10:* rwm" back: name the devices one by one instead of the wildcard',
    )
  })

  test('when it denies a wildcard with a device that every container has', () => {
    expect(() => policyOf(allowAll, { allow: false, type: 'c', major: 1, access: 'rw' })).toThrow(
      'linux.resources.devices[1]: "allow c 1:3 rwm" cannot take a part of "deny c 1:* rw" back: name the devices one by one instead of the wildcard',
    )
  })
})

describe('random rules', () => {
  const random = mulberry(20_250_101)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const numbers = [undefined, -1, 1, 3, 10, 200] as const
  const accesses = ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'] as const

  const lists = Array.from({ length: 3000 }, () => [
    ...(random() < 0.8 ? [pick([denyAll, allowAll])] : []),
    ...Array.from({ length: 1 + Math.floor(random() * 5) }, (): DeviceRule => {
      const [major, minor] = [pick(numbers), pick(numbers)]
      return {
        allow: random() < 0.6,
        type: pick(['a', 'b', 'c', 'c', ''] as const),
        ...(major !== undefined && { major }),
        ...(minor !== undefined && { minor }),
        access: pick(accesses),
      }
    }),
  ])
  const requests = (['b', 'c'] as const).flatMap((type) =>
    [1, 3, 10, 11].flatMap((major) =>
      [3, 1, 200, 201].flatMap((minor) => accesses.map((access): DeviceAccess => ({ type, major, minor, access }))),
    ),
  )
  const planned = lists.flatMap((rules) => {
    try {
      return [{ rules, policy: policyOf(...rules) }]
    } catch {
      return []
    }
  })

  test('are enough to tell', () => {
    expect(planned.length).toBeGreaterThan(1000)
    expect(planned.length).toBeLessThan(lists.length)
  })

  test('become a program that decides as the policy says', () => {
    for (const { rules, policy } of planned) {
      const program = encodeInstructions(planDeviceProgram(policy))
      for (const request of requests)
        if ((runDeviceProgram(program, request) === 1) !== decide(policy, request))
          expect.fail(`${JSON.stringify(request)} by ${JSON.stringify(rules)}`)
    }
  })

  test('never grant what the last rule on a device refuses', () => {
    for (const { rules, policy } of planned)
      for (const request of requests)
        if (decide(policy, request) && !lastRuleGrants(rules, request))
          expect.fail(`${JSON.stringify(request)} by ${JSON.stringify(rules)}`)
  })

  test('that only allow, and name whole devices, grant exactly what they say', () => {
    for (const rules of lists) {
      const allowing = rules
        .filter(({ allow }) => allow)
        .map((rule): DeviceRule => ({ ...rule, major: pick([1, 3, 10]), minor: pick([1, 3, 200]), type: 'c' }))
      const policy = policyOf(denyAll, ...allowing)
      // The kernel never asks for mknod together with another access.
      for (const request of requests.filter(({ access }) => !access.includes('m')))
        if (decide(policy, request) !== lastRuleGrants([denyAll, ...allowing], request))
          expect.fail(`${JSON.stringify(request)} by ${JSON.stringify(allowing)}`)
    }
  })
})

/** DevicePolicy, read aloud. */
function decide({ allow, exceptions }: DevicePolicy, { type, major, minor, access }: DeviceAccess): boolean {
  const about = exceptions.filter(
    (exception) =>
      exception.type === type &&
      (exception.major === undefined || exception.major === major) &&
      (exception.minor === undefined || exception.minor === minor),
  )
  return allow
    ? !about.some((exception) => [...access].some((letter) => exception.access.includes(letter)))
    : about.some((exception) => [...access].every((letter) => exception.access.includes(letter)))
}

/** config-linux.md to the letter: for each letter of the access, the last rule about it decides. */
function lastRuleGrants(rules: readonly DeviceRule[], { type, major, minor, access }: DeviceAccess): boolean {
  const any = (wanted: number | undefined, number: number): boolean =>
    wanted === undefined || wanted === -1 || wanted === number
  const all = [
    ...rules.map((rule) => ({ ...rule, type: rule.type || 'a', access: rule.access || 'rwm' })),
    { allow: true, type: 'a', access: 'm' },
    ...[3, 5, 7, 8, 9].map((number) => ({ allow: true, type: 'c', major: 1, minor: number, access: 'rwm' })),
  ]
  return [...access].every(
    (letter) =>
      all.findLast(
        (rule: (typeof all)[number] & { major?: number; minor?: number }) =>
          (rule.type === 'a' || rule.type === type) &&
          any(rule.major, major) &&
          any(rule.minor, minor) &&
          rule.access.includes(letter),
      )?.allow ?? false,
  )
}

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
