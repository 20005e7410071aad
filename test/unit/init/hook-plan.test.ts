import { x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER } from '@crio-lxc/core/abi/constants'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { printPlan } from '@crio-lxc/core/plan/print'
import { type HookEntry, planHook } from '@crio-lxc/init/hook-plan'
import { describe, expect, test } from 'vitest'

const hook = { path: '/usr/bin/hook', args: ['zero', 'one'], env: ['A=1'] }
const fds = { stdin: 5, stdout: 6, stderr: 7, report: 8, go: 9 }

function calls(container?: HookEntry, given: typeof hook | { path: string } = hook): string[] {
  return printPlan(planHook({ arch: x64, hook: given, cwd: '/bundle', fds, container })).map(({ call }) => call)
}

const entry = {
  newKeyring: true,
  namespaces: [
    { type: 'pid', flag: CLONE_NEWPID, fd: 10 },
    { type: 'mount', flag: CLONE_NEWNS, fd: 13 },
  ],
  cgroup: { tasks: [11, 12], unified: undefined },
} as const

describe('planHook', () => {
  test('in the runtime: a session, the three fds, leave to go on, the bundle, nothing else', () => {
    expect(calls()).toEqual([
      'setsid()',
      'dup3(5, 0, 0)',
      'dup3(6, 1, 0)',
      'dup3(7, 2, 0)',
      'write(8, {ready}, 16)',
      'read(9, [], 1)',
      'chdir("/bundle")',
      'umask(18)',
      'close_range(3, 7, 0)',
      'close_range(9, 0xffffffff, 0)',
      'close_range(8, 8, 4)',
      'execve("/usr/bin/hook", ["zero", "one"], ["A=1"])',
    ])
  })

  test('argv[0] is the path, and the environment empty, when the spec has neither', () => {
    expect(calls(undefined, { path: '/h' }).at(-1)).toBe('execve("/h", ["/h"], [])')
  })

  test('in the container: cgroup, namespaces, and a child that is the caller’s', () => {
    const plan = calls({ ...entry, process: undefined })
    expect(plan.slice(4, 13)).toEqual([
      'write(11, "0", 1)',
      'close(11)',
      'write(12, "0", 1)',
      'close(12)',
      'setns(10, 0x20000000)',
      'close(10)',
      'setns(13, 0x20000)',
      'close(13)',
      'clone(0x8011, 0, 0, 0, 0) = <word>',
    ])
    expect(plan.slice(13)).toEqual(['keyctl(1, 0, 0, 0, 0)', ...calls(), 'write(8, {pid}, 16)'])
    expect(plan.join()).not.toContain('setresuid')
  })

  test('in a user namespace: as its root', () => {
    const user = { type: 'user', flag: CLONE_NEWUSER, fd: 14 } as const
    const plan = calls({ ...entry, namespaces: [user, ...entry.namespaces], process: undefined })
    expect(plan.indexOf('setns(14, 0x10000000)')).toBeGreaterThan(plan.indexOf('setns(13, 0x20000)'))
    expect(plan.indexOf('setresuid(0, 0, 0)')).toBeGreaterThan(plan.indexOf('setns(14, 0x10000000)'))
  })

  test('as the process: its user, capabilities and directory, then the hook', () => {
    const process = { ...defaultSpec.process, cwd: '/work', user: { uid: 7, gid: 8 } }
    const plan = calls({
      ...entry,
      process: { process, seccomp: undefined, personality: undefined, memoryPolicy: undefined, capabilities: true },
    })
    expect(plan).toContain('setresuid(7, 7, 7)')
    expect(plan.some((call) => call.startsWith('capset('))).toBe(true)
    expect(plan.join()).not.toContain('/bundle')
    expect(plan.at(-2)).toBe('execve(<executable>, ["zero", "one"], ["A=1"])')
  })
})
