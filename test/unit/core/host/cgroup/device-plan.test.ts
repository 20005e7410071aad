import type { CgroupLayout, Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { planDevices } from '@crio-lxc/core/host/cgroup/plan/device-plan'
import { printDevicePlan } from '@crio-lxc/core/host/cgroup/plan/print-device-plan'
import { planDeviceWrites } from '@crio-lxc/core/host/cgroup/plan/resource-writes'
import type { DeviceRule } from '@crio-lxc/core/oci/resources'
import { describe, expect, test } from 'vitest'

const v1 = (name: string): Hierarchy => ({
  name,
  mountPoint: `/sys/fs/cgroup/${name}`,
  version: 1,
  controllers: name.split(','),
})
const unified: Hierarchy = { name: 'unified', mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] }
const hybrid: CgroupLayout = { mode: 'hybrid', hierarchies: [v1('pids'), v1('devices'), unified] }
const pureV2: CgroupLayout = { mode: 'v2', hierarchies: [{ ...unified, name: '', mountPoint: '/sys/fs/cgroup' }] }

const devices: DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
]

describe('planDevices()', () => {
  test.each<[string, CgroupLayout, string]>([
    ['the v1 controller where there is one', hybrid, '/sys/fs/cgroup/devices'],
    [
      'the v2 hierarchy beside v1 hierarchies without it',
      { mode: 'hybrid', hierarchies: [v1('pids'), unified] },
      '/sys/fs/cgroup/unified',
    ],
    ['the only hierarchy', pureV2, '/sys/fs/cgroup'],
  ])('takes %s', (_, layout, mountPoint) => {
    expect(planDevices({ devices }, layout).hierarchy.mountPoint).toBe(mountPoint)
  })

  test('grants without rules what every container has, and no more', () => {
    const denied = planDevices({ devices: [{ allow: false, access: 'rwm' }] }, pureV2)
    expect(planDevices({}, pureV2)).toEqual(denied)
    expect(planDevices({ devices: [] }, pureV2)).toEqual(denied)
    expect(denied.policy.allow).toBe(false)
  })

  test('refuses rules that the host cannot enforce', () => {
    expect(() => planDevices({ devices }, { mode: 'v1', hierarchies: [v1('pids')] })).toThrow(
      'linux.resources.devices: the host has neither a v1 devices controller nor cgroup v2: mount one of them, or give --cgroup-devices=false',
    )
  })
})

describe('planDeviceWrites()', () => {
  const lines = (rules: DeviceRule[], layout = hybrid): string[] =>
    planDeviceWrites(planDevices({ devices: rules }, layout)).map(({ file, value }) => `${file} ${value}`)

  test('begins with the default, and writes the exceptions after it', () => {
    expect(lines(devices)).toEqual([
      'devices.deny a',
      'devices.allow c 10:200 rw',
      'devices.allow c *:* m',
      'devices.allow b *:* m',
      ...['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:2', '136:*'].map((number) => `devices.allow c ${number} rwm`),
    ])
    expect(lines([{ allow: true, access: 'rwm' }, { ...devices[1], allow: false } as DeviceRule])).toEqual([
      'devices.allow a',
      'devices.deny c 10:200 rw',
    ])
  })

  test('writes nothing for a program', () => {
    expect(lines(devices, pureV2)).toEqual([])
  })
})

describe('printDevicePlan()', () => {
  const plan = (layout: CgroupLayout) => planDevices({ devices: [{ allow: true, access: 'rwm' }, deny] }, layout)
  const deny: DeviceRule = { allow: false, type: 'c', major: 10, minor: 200, access: 'r' }

  test('prints the policy in words and the program as bpftool does', () => {
    expect(printDevicePlan(plan(pureV2))).toEqual({
      policy: ['allow everything', 'deny c 10:200 r'],
      program: [
        'r2 = *(u32 *)(r1 + 0)',
        'w3 = w2',
        'w2 &= 65535',
        'w3 >>= 16',
        'r4 = *(u32 *)(r1 + 4)',
        'r5 = *(u32 *)(r1 + 8)',
        'if w2 != 2 goto 13',
        'if w4 != 10 goto 13',
        'if w5 != 200 goto 13',
        'if w3 & 2 goto 11',
        'goto 13',
        'w0 = 0',
        'exit',
        'w0 = 1',
        'exit',
      ],
    })
  })

  test('has no program on v1', () => {
    expect(printDevicePlan(plan(hybrid))).toEqual({
      policy: ['allow everything', 'deny c 10:200 r'],
    })
  })
})
