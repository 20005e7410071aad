import type { Seccomp } from '@crio-lxc/core/oci/linux'
import { filterFlags, notifies, toFilter } from '@crio-lxc/core/seccomp/filter'
import { describe, expect, test } from 'vitest'
import { thrownBy } from '../oci/spec-with.ts'

const profile: Seccomp = {
  defaultAction: 'SCMP_ACT_ALLOW',
  listenerPath: '/run/agent.sock',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
}

describe('toFilter()', () => {
  test('gives each action the number that libseccomp has for it', () => {
    const actions = ['KILL', 'KILL_PROCESS', 'KILL_THREAD', 'TRAP', 'ERRNO', 'TRACE', 'LOG', 'NOTIFY'] as const
    const syscalls = actions.map((name) => ({ names: [name], action: `SCMP_ACT_${name}` as const }))
    const { defaultAction, rules } = toFilter({ ...profile, syscalls })
    expect(defaultAction).toBe(0x7fff0000)
    expect(Object.fromEntries(rules.map(({ syscall, action }) => [syscall, action]))).toEqual({
      KILL: 0,
      KILL_PROCESS: 0x80000000,
      KILL_THREAD: 0,
      TRAP: 0x30000,
      ERRNO: 0x50001,
      TRACE: 0x7ff00001,
      LOG: 0x7ffc0000,
      NOTIFY: 0x7fc00000,
    })
  })

  test.each<[string, Partial<Seccomp>, string]>([
    [
      'NOTIFY as the default',
      { defaultAction: 'SCMP_ACT_NOTIFY' },
      'linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default: name the system calls',
    ],
    [
      'NOTIFY for write',
      { syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_NOTIFY' }] },
      'linux.seccomp.syscalls[0].names: SCMP_ACT_NOTIFY cannot be used for write, with which the process hands the listener over',
    ],
    [
      'a relative listenerPath',
      { listenerPath: 'agent.sock' },
      `linux.seccomp.listenerPath: must be the absolute path of the agent's socket for SCMP_ACT_NOTIFY, of at most 4095 bytes, got "agent.sock"`,
    ],
    [
      'metadata for nobody',
      { listenerPath: '', listenerMetadata: 'x', syscalls: [] },
      'linux.seccomp.listenerMetadata: must not be set without linux.seccomp.listenerPath',
    ],
    [
      'an errno of an action that has none',
      { syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY', errnoRet: 1 }] },
      'linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_NOTIFY carries no errno: remove it',
    ],
    [
      'an errno of a default action that has none',
      { defaultErrnoRet: 1 },
      'linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW carries no errno: remove it',
    ],
  ])('refuses %s', (_, changes, message) => {
    expect(thrownBy(() => toFilter({ ...profile, ...changes }))).toMatchObject({ name: 'SpecError', message })
  })

  test('ignores listenerPath when nothing is notified', () => {
    expect(() => toFilter({ ...profile, listenerPath: 'anything', syscalls: [] })).not.toThrow()
  })
})

describe('toFilter().known', () => {
  test.each([['SCMP_ACT_ERRNO'], ['SCMP_ACT_KILL'], ['SCMP_ACT_KILL_PROCESS'], ['SCMP_ACT_TRAP']] as const)(
    'has every name when the default is %s',
    (defaultAction) => {
      const syscalls = [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' as const },
        { names: ['mount'], action: defaultAction },
      ]
      expect(toFilter({ defaultAction, syscalls }).known).toEqual(['read', 'write', 'mount'])
    },
  )

  test('is not there when others decide, or the default is ENOSYS', () => {
    for (const defaultAction of ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'] as const)
      expect(toFilter({ defaultAction })).not.toHaveProperty('known')
    expect(toFilter({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 })).not.toHaveProperty('known')
  })
})

describe('filterFlags()', () => {
  const flags = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] as const
  const [TSYNC, SPEC_ALLOW, NEW_LISTENER, TSYNC_ESRCH, WAIT_KILLABLE_RECV] = [1, 4, 8, 16, 32] as const

  test('allows speculation when no list is given, not when it is empty', () => {
    expect(filterFlags({ defaultAction: 'SCMP_ACT_ALLOW' })).toBe(SPEC_ALLOW)
    expect(filterFlags({ defaultAction: 'SCMP_ACT_ALLOW', flags: [] })).toBe(0)
  })

  test('asks for a listener when a rule notifies', () => {
    expect(notifies(profile)).toBe(true)
    expect(filterFlags({ ...profile, flags: [] })).toBe(NEW_LISTENER)
    expect(filterFlags({ ...profile, flags })).toBe(TSYNC | NEW_LISTENER | TSYNC_ESRCH | WAIT_KILLABLE_RECV)
  })

  test('asks for none, and drops what needs one, otherwise', () => {
    expect(notifies({ ...profile, syscalls: [] })).toBe(false)
    expect(filterFlags({ ...profile, syscalls: [], flags })).toBe(TSYNC)
  })
})
