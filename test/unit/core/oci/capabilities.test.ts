import { readFileSync } from 'node:fs'
import {
  capabilityBit,
  grantableCapabilities,
  isCapabilityName,
  toCapabilityMask,
} from '@crio-lxc/core/oci/capabilities'
import { describe, expect, test } from 'vitest'
import { thrownBy } from './spec-with.ts'

const header = '/usr/include/linux/capability.h'

test("capabilityBit agrees with the kernel's header", () => {
  const defined = [...readFileSync(header, 'utf8').matchAll(/^#define\s+(CAP_[A-Z_]+)\s+(\d+)$/gm)]
  const bits = Object.fromEntries(defined.map(([, name, bit]) => [name, Number(bit)]))
  expect(Object.keys(bits).length).toBeGreaterThan(40)
  expect(capabilityBit).toEqual(bits)
})

describe('toCapabilityMask()', () => {
  test.each<[string[] | undefined, bigint]>([
    [undefined, 0n],
    [[], 0n],
    [['CAP_CHOWN'], 1n],
    [['CAP_KILL', 'CAP_KILL', 'CAP_CHOWN'], 0x21n],
    [['CAP_CHECKPOINT_RESTORE'], 1n << 40n],
    [Object.keys(capabilityBit), (1n << 41n) - 1n],
  ])('makes of %j the mask %s', (names, mask) => {
    expect(toCapabilityMask(names, 'process.capabilities.bounding')).toBe(mask)
  })

  test.each(['CAP_FOO', 'cap_kill', 'KILL', '', 'toString'])('refuses %j', (name) => {
    expect(thrownBy(() => toCapabilityMask(['CAP_KILL', name], 'process.capabilities.bounding'))).toMatchObject({
      name: 'SpecError',
      message: `process.capabilities.bounding: unknown capability ${JSON.stringify(name)}`,
    })
  })
})

describe('grantableCapabilities()', () => {
  const available = toCapabilityMask(['CAP_KILL', 'CAP_CHOWN'], '')

  test('keeps sets that can be granted, also absent and empty ones', () => {
    const sets = { bounding: ['CAP_KILL', 'CAP_CHOWN'], ambient: [] }
    expect(grantableCapabilities(sets, available)).toEqual({ sets, leftOut: [] })
  })

  test('leaves out of every set what no kernel or not this runtime has, and names each once with the reason', () => {
    const names = ['CAP_NOSUCH', 'CAP_KILL', 'CAP_SYS_TIME', 'kill', 'toString']
    expect(grantableCapabilities({ bounding: names, effective: names, inheritable: ['CAP_CHOWN'] }, available)).toEqual(
      {
        sets: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], inheritable: ['CAP_CHOWN'] },
        leftOut: [
          'CAP_NOSUCH (no such capability)',
          'CAP_SYS_TIME (the runtime lacks it)',
          'kill (no such capability)',
          'toString (no such capability)',
        ],
      },
    )
  })
})

test('isCapabilityName() knows the spelling of the spec only', () => {
  expect(isCapabilityName('CAP_KILL')).toBe(true)
  expect(isCapabilityName('CAP_kill')).toBe(false)
})
