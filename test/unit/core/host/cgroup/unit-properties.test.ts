import type { Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { planDevices } from '@crio-lxc/core/host/cgroup/plan/device-plan'
import { planAnnotatedProperties } from '@crio-lxc/core/host/cgroup/plan/unit-annotations'
import { planDeviceProperties, planScopeProperties } from '@crio-lxc/core/host/cgroup/plan/unit-properties'
import type { DeviceRule } from '@crio-lxc/core/oci/resources'
import { describe, expect, test } from 'vitest'

const v1: Hierarchy = { name: 'x', mountPoint: '/sys/fs/cgroup/x', version: 1, controllers: ['devices'] }
const v2: Hierarchy = { name: '', mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] }

describe('planDeviceProperties()', () => {
  const group = (type: string, major: number): string | undefined => (type === 'c' && major === 136 ? 'pts' : undefined)
  const plan = (hierarchy: Hierarchy, devices: DeviceRule[]): Record<string, unknown> =>
    Object.fromEntries(
      planDeviceProperties(
        planDevices({ devices }, { mode: hierarchy.version === 2 ? 'v2' : 'v1', hierarchies: [hierarchy] }),
        group,
      ).map(([name, { value }]) => [name, value]),
    )

  test('v1: what the container may use, by number, by group, or all', () => {
    const { DevicePolicy, DeviceAllow } = plan(v1, [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
      { allow: true, type: 'b', major: 8, access: 'r' },
    ])
    expect(DevicePolicy).toBe('strict')
    expect(DeviceAllow).toEqual(
      expect.arrayContaining([
        ['/dev/char/10:200', 'rw'],
        ['/dev/char/1:3', 'rwm'],
        ['char-pts', 'rwm'],
        ['char-*', 'm'],
      ]),
    )
    // No driver has this major, so there is nothing to allow.
    expect(JSON.stringify(DeviceAllow)).not.toContain('block-undefined')
  })

  test('v1: a container that may use all', () => {
    expect(plan(v1, [{ allow: true, access: 'rwm' }])).toEqual({ DevicePolicy: 'auto' })
  })

  test("v2: nothing, the program is not systemd's", () => {
    expect(plan(v2, [{ allow: false, access: 'rwm' }])).toEqual({})
  })
})

test('planScopeProperties()', () => {
  const scope = { unit: 'a.scope', slice: 'b.slice', path: '/b.slice/a.scope' }
  const layout = { mode: 'v2', hierarchies: [v2] } as const
  expect(Object.fromEntries(planScopeProperties(scope, { id: 'c', pid: 7, layout }))).toMatchObject({
    Slice: { signature: 's', value: 'b.slice' },
    PIDs: { signature: 'au', value: [7] },
    Delegate: { signature: 'b', value: true },
    DefaultDependencies: { signature: 'b', value: false },
    IOAccounting: { signature: 'b', value: true },
  })
})

describe('planAnnotatedProperties()', () => {
  const annotated = (name: string, value: string) =>
    planAnnotatedProperties({ [`org.systemd.property.${name}`]: value })

  test.each([
    ['TimeoutStopUSec', 'uint64 5', 'TimeoutStopUSec', { signature: 't', value: 5n }],
    ['TimeoutStopSec', '5', 'TimeoutStopUSec', { signature: 't', value: 5000000n }],
    ['TimeoutStopSec', '1.5', 'TimeoutStopUSec', { signature: 't', value: 1500000n }],
    ['TimeoutStopSec', '-1', 'TimeoutStopUSec', { signature: 't', value: 2n ** 64n - 1000000n }],
    ['CPUQuotaPerSecUSec', 'uint64 1', 'CPUQuotaPerSecUSec', { signature: 't', value: 1n }],
    ['CollectMode', "'inactive'", 'CollectMode', { signature: 's', value: 'inactive' }],
    ['DefaultDependencies', 'true', 'DefaultDependencies', { signature: 'b', value: true }],
  ])('%s %s', (name, text, property, value) => {
    expect(annotated(name, text)).toEqual([[property, value]])
  })

  test('other annotations are none', () => {
    expect(planAnnotatedProperties({ 'io.kubernetes.cri-o.X': 'nonsense' })).toEqual([])
    expect(planAnnotatedProperties(undefined)).toEqual([])
  })

  test.each([
    ['TimeoutStopSec', '1e999', 'use "1e999" as a value of systemd: a number of seconds is expected'],
    ['TimeoutStopSec', "'5'", 'use "\'5\'" as a value of systemd: a number of seconds is expected'],
    ['Foo', 'nonsense', 'use "nonsense" as a value of systemd: nonsense is no type'],
    ['a=b', '1', '"a=b" is not the name of a property'],
  ])('refuses %s %s', (name, text, problem) => {
    expect(() => annotated(name, text)).toThrow(`annotations["org.systemd.property.${name}"]: ${problem}`)
  })
})
