import type { Seccomp } from '@crio-lxc/core/oci/linux'
import { cachedProgram, cacheEntry, cacheInput, cacheSlot, MAX_ENTRY_BYTES } from '@crio-lxc/core/seccomp/cache-entry'
import { describe, expect, test } from 'vitest'
import podman from '../../../fixtures/seccomp/podman.json' with { type: 'json' }

const profile: Seccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [
    { names: ['read', 'wrïte'], action: 'SCMP_ACT_ALLOW' },
    { names: ['clone'], action: 'SCMP_ACT_NOTIFY', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
  ],
}
const inputOf = (seccomp: Seccomp, compiler = 'compiler', boot = 'boot') => cacheInput(compiler, boot, seccomp)
const input = inputOf(profile)
/** A thousand instructions, no two alike. */
const program = new Uint8Array(8000).map((_, at) => 1 + ((at * at) >> 3))
const entry = cacheEntry(input, program) as Uint8Array

describe('cacheInput()', () => {
  const [first, second] = profile.syscalls as [object, object]
  const changed: readonly [string, object][] = [
    ['the default action', { defaultAction: 'SCMP_ACT_KILL' }],
    ['the default errno', { defaultErrnoRet: 38 }],
    ['the architectures', { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'] }],
    ['the flags', { flags: [] }],
    ['a name', { syscalls: [{ ...first, names: ['read', 'write'] }, second] }],
    ['names that are joined', { syscalls: [{ ...first, names: ['read,wrïte'] }, second] }],
    ['an action', { syscalls: [{ ...first, action: 'SCMP_ACT_LOG' }, second] }],
    ['an errno', { syscalls: [{ ...first, errnoRet: 0 }, second] }],
    ['an argument', { syscalls: [first, { ...second, args: [{ index: 0, value: 2, op: 'SCMP_CMP_EQ' }] }] }],
    ['an argument of 64 bits', { syscalls: [first, { ...second, args: [{ index: 0, value: 2n ** 64n - 1n }] }] }],
    ['the order', { syscalls: [second, first] }],
  ]

  test.each(changed)('is another one with a change of %s', (_, change) => {
    expect(inputOf({ ...profile, ...change })).not.toBe(input)
  })

  test('is another one for each value of 64 bits', () => {
    const inputs = [2n ** 63n, 2n ** 63n + 1n, 1].map((value) =>
      inputOf({
        ...profile,
        syscalls: [{ names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }],
      }),
    )
    expect(new Set(inputs).size).toBe(3)
  })

  test('is another one for another compiler and after a boot', () => {
    expect(new Set([input, inputOf(profile, 'other'), inputOf(profile, 'compiler', 'other')]).size).toBe(3)
  })

  test('does not depend on the socket and the metadata of an agent, which change no instruction', () => {
    expect(inputOf({ ...profile, listenerPath: '/run/agent', listenerMetadata: 'a container' })).toBe(input)
  })
})

describe('cacheSlot()', () => {
  test('spreads profiles', () => {
    const names = podman.syscalls.flatMap((rule) => rule.names)
    const slots = names.map((_, at) =>
      cacheSlot(inputOf({ ...profile, syscalls: [{ names: names.toSpliced(at, 1), action: 'SCMP_ACT_ALLOW' }] })),
    )
    expect(new Set(slots).size).toBeGreaterThan(24)
    expect(slots.every((slot) => Number.isInteger(slot) && slot >= 0 && slot < 32)).toBe(true)
  })
})

describe('cachedProgram()', () => {
  test('gives back what the entry was made with', () => {
    expect(cachedProgram(entry, input)).toEqual(program)
  })

  test('gives no program for another input, be it longer, shorter or of the same length', () => {
    for (const other of ['', `${input} `, input.slice(0, -1), `${input.slice(0, -1)}x`, input.replace('read', 'reaD')])
      expect(cachedProgram(entry, other)).toBeUndefined()
  })

  test('gives none of an entry that was cut off anywhere', () => {
    for (let length = 0; length < entry.length; length++)
      if (cachedProgram(entry.subarray(0, length), input)) expect.fail(`cut off at ${length}`)
  })

  test('gives none of an entry that goes on', () => {
    for (const more of [1, 8, 64])
      expect(cachedProgram(new Uint8Array([...entry, ...Array(more).fill(0)]), input)).toBeUndefined()
  })

  test('gives none of an entry that has lost a sector', () => {
    for (let sector = 0; sector < entry.length; sector += 512)
      expect(cachedProgram(entry.slice().fill(0, sector, sector + 512), input), `${sector}`).toBeUndefined()
  })

  test('gives none of any bytes', () => {
    for (const length of [0, 1, 7, 8, 9, 4096])
      expect(cachedProgram(new Uint8Array(length).fill(255), input)).toBeUndefined()
    expect(cachedProgram(new Uint8Array(8), '')).toBeUndefined()
  })
})

describe('cacheEntry()', () => {
  test('is none beyond what an entry may have', () => {
    expect(cacheEntry('x'.repeat(MAX_ENTRY_BYTES), program)).toBeUndefined()
    expect(cacheEntry('x'.repeat(MAX_ENTRY_BYTES - program.length - 8), program)).toHaveLength(MAX_ENTRY_BYTES)
  })
})
