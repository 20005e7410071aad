import { Buffer } from 'node:buffer'
import type { Hierarchy } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import type { CgroupWrite } from '@crio-lxc/core/cgroup/plan/cgroup-write'
import { planDevices } from '@crio-lxc/core/cgroup/plan/device-plan'
import { planAnnotatedProperties } from '@crio-lxc/core/cgroup/plan/unit-annotations'
import {
  planDeviceProperties,
  planLimitProperties,
  planScopeProperties,
} from '@crio-lxc/core/cgroup/plan/unit-properties'
import type { DeviceRule } from '@crio-lxc/core/oci/resources'
import { describe, expect, test } from 'vitest'

const v1: Hierarchy = { name: 'x', mountPoint: '/sys/fs/cgroup/x', version: 1, controllers: ['devices'] }
const v2: Hierarchy = { name: '', mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] }
const INFINITY = 2n ** 64n - 1n

function limits(hierarchy: Hierarchy, files: Record<string, string>): Record<string, unknown> {
  const writes = Object.entries(files).map(([file, value]): CgroupWrite => ({ hierarchy, file, value, field: 'f' }))
  return Object.fromEntries(planLimitProperties(writes).map(([name, { value }]) => [name, value]))
}

describe('planLimitProperties()', () => {
  test.each<[Record<string, string>, Record<string, unknown>]>([
    [
      { 'memory.max': '1048576', 'memory.low': '4096' },
      { MemoryMax: 1048576n, MemoryLow: 4096n },
    ],
    [
      { 'memory.max': 'max', 'memory.swap.max': '0' },
      { MemoryMax: INFINITY, MemorySwapMax: 0n },
    ],
    [
      { 'memory.high': '5', 'memory.min': '4' },
      { MemoryHigh: 5n, MemoryMin: 4n },
    ],
    [
      { 'cpu.weight': '39', 'pids.max': '7' },
      { CPUWeight: 39n, TasksMax: 7n },
    ],
    [{ 'cpu.max': '50000 100000' }, { CPUQuotaPeriodUSec: 100000n, CPUQuotaPerSecUSec: 500000n }],
    [{ 'cpu.max': '1000 3000' }, { CPUQuotaPeriodUSec: 3000n, CPUQuotaPerSecUSec: 340000n }],
    [{ 'cpu.max': '50000' }, { CPUQuotaPerSecUSec: 500000n }],
    [{ 'cpu.max': 'max 20000' }, { CPUQuotaPeriodUSec: 20000n, CPUQuotaPerSecUSec: INFINITY }],
    [
      { 'cpuset.cpus': '0-2,9', 'cpuset.mems': '0' },
      { AllowedCPUs: Buffer.from([0b111, 0b10]), AllowedMemoryNodes: Buffer.from([1]) },
    ],
    [{ 'hugetlb.2MB.max': '0', 'io.max': '8:0 rbps=1' }, {}],
    [{ 'cpu.weight': '5', 'cpu.idle': '1' }, { CPUWeight: 0n }],
    [{ 'cpu.idle': '0' }, {}],
    // linux.resources.unified may write whatever the kernel reads.
    [
      { 'memory.high': '1G', 'memory.max': '2k' },
      { MemoryHigh: 1n << 30n, MemoryMax: 2048n },
    ],
    [{ 'memory.high': 'lots', 'cpuset.cpus': '0-6:2/3', 'cpuset.mems': '9999', 'cpu.max': 'x 0' }, {}],
    [{ 'memory.max': '99999999999999999999' }, { MemoryMax: INFINITY }],
  ])('v2 %j', (files, properties) => {
    expect(limits(v2, files)).toEqual(properties)
  })

  test.each<[Record<string, string>, Record<string, unknown>]>([
    [
      { 'memory.limit_in_bytes': '4096', 'pids.max': 'max' },
      { MemoryLimit: 4096n, TasksMax: INFINITY },
    ],
    [
      { 'memory.limit_in_bytes': '-1', 'cpu.shares': '512' },
      { MemoryLimit: INFINITY, CPUShares: 512n },
    ],
    [
      { 'cpu.cfs_quota_us': '20000', 'cpu.cfs_period_us': '50000' },
      { CPUQuotaPeriodUSec: 50000n, CPUQuotaPerSecUSec: 400000n },
    ],
    [{ 'cpu.cfs_quota_us': '-1' }, { CPUQuotaPerSecUSec: INFINITY }],
    // systemd has no cpuset of v1.
    [{ 'cpuset.cpus': '0' }, {}],
  ])('v1 %j', (files, properties) => {
    expect(limits(v1, files)).toEqual(properties)
  })
})

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
    ['TimeoutStopSec', "'5'", 'use "\'5\'" as a value of systemd: a number of seconds is expected'],
    ['Foo', 'nonsense', 'use "nonsense" as a value of systemd: nonsense is no type'],
    ['a=b', '1', '"a=b" is not the name of a property'],
  ])('refuses %s %s', (name, text, problem) => {
    expect(() => annotated(name, text)).toThrow(`annotations["org.systemd.property.${name}"]: ${problem}`)
  })
})
