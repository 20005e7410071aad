import type { Property, Value } from '@crio-lxc/core/dbus/signature'
import type { Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { CgroupWrite } from '@crio-lxc/core/host/cgroup/plan/cgroup-write'
import {
  isRecent,
  planLimitProperties,
  planStartProperties,
  takenBy,
  textsOf,
} from '@crio-lxc/core/host/cgroup/plan/limit-properties'
import { describe, expect, test } from 'vitest'

const v1: Hierarchy = { name: 'x', mountPoint: '/sys/fs/cgroup/x', version: 1, controllers: [] }
const v2: Hierarchy = { name: '', mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] }
const INFINITY = 2n ** 64n - 1n

function limits(hierarchy: Hierarchy, files: Record<string, string>): Record<string, unknown> {
  const writes = Object.entries(files).map(([file, value]): CgroupWrite => ({ hierarchy, file, value, field: 'f' }))
  return Object.fromEntries(planLimitProperties(textsOf(writes)).map(([name, { value }]) => [name, value]))
}

describe('planLimitProperties()', () => {
  test('takes a cpuset of more ranges than a call takes arguments', () => {
    expect(limits(v2, { 'cpuset.cpus': `0${',1'.repeat(500_000)}` })).toEqual({ AllowedCPUs: Uint8Array.of(0b11) })
  })

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
      { AllowedCPUs: Uint8Array.of(0b111, 0b10), AllowedMemoryNodes: Uint8Array.of(1) },
    ],
    [{ 'hugetlb.2MB.max': '0', 'io.max': '8:0 rbps=1' }, {}],
    [{ 'cpu.weight': '5', 'cpu.idle': '1' }, { CPUWeight: 0n }],
    [{ 'cpu.idle': '0' }, {}],
    // As the files say it when the cgroup has stopped being idle.
    [{ 'cpu.idle': '0', 'cpu.weight': '100' }, { CPUWeight: 100n }],
    [
      { 'memory.zswap.max': '4096', 'memory.zswap.writeback': '0' },
      { MemoryZSwapMax: 4096n, MemoryZSwapWriteback: false },
    ],
    [{ 'io.weight': 'default 4950' }, { IOWeight: 4950n }],
    [{ 'io.weight': '4950' }, { IOWeight: 4950n }],
    // Written per device alone, it says nothing of the cgroup.
    [{ 'io.weight': '8:0 4950' }, {}],
    [{ 'io.bfq.weight': '500' }, { IOWeight: 4500n }],
    [{ 'io.bfq.weight': '1' }, { IOWeight: 1n }],
    [{ 'io.bfq.weight': '1000' }, { IOWeight: 10000n }],
    [
      { 'io.bfq.weight': 'default 500\n8:0 300\n8:16 50', 'io.weight': 'default 100' },
      {
        IOWeight: 4500n,
        IODeviceWeight: [
          ['/dev/block/8:0', 2300n],
          ['/dev/block/8:16', 50n],
        ],
      },
    ],
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
    // As the file shows it.
    [{ 'memory.limit_in_bytes': '9223372036854771712' }, { MemoryLimit: INFINITY }],
    // systemd has no cpuset of v1.
    [{ 'cpuset.cpus': '0' }, {}],
  ])('v1 %j', (files, properties) => {
    expect(limits(v1, files)).toEqual(properties)
  })
})

test('bfq has the weight that it was given when systemd has turned it into its own, and back', () => {
  // BFQ_WEIGHT() of systemd.
  const toBfq = (weight: bigint): bigint =>
    weight <= 100n ? 100n - ((100n - weight) * 99n) / 99n : 100n + ((weight - 100n) * 900n) / 9900n
  for (let weight = 1; weight <= 1000; weight++)
    expect(toBfq(limits(v2, { 'io.bfq.weight': String(weight) })['IOWeight'] as bigint)).toBe(BigInt(weight))
})

test.each([
  [{ 'memory.oom.group': '1' }, [['OOMPolicy', { signature: 's', value: 'kill' }]]],
  [{ 'memory.oom.group': '0' }, []],
  [{ 'memory.max': '1' }, []],
])('planStartProperties() %j', (files, properties) => {
  const texts = new Map(Object.entries(files).map(([file, value]) => [`2 ${file}`, value]))
  expect(planStartProperties(texts)).toEqual(properties)
})

describe('takenBy()', () => {
  test.each<[string, string, Value, number]>([
    ['CPUWeight', 't', 0n, 252],
    ['MemoryZSwapMax', 't', 0n, 253],
    ['MemoryZSwapWriteback', 'b', true, 256],
  ])('%s %s %s is known since %d', (name, signature, value, version) => {
    const property: Property = [name, { signature, value }]
    expect(isRecent(property)).toBe(true)
    expect(takenBy(version, [property])).toEqual([property])
    expect(takenBy(version - 1, [property])).toEqual([])
  })

  test('every version has the others', () => {
    const property: Property = ['CPUWeight', { signature: 't', value: 1n }]
    expect(isRecent(property)).toBe(false)
    expect(takenBy(0, [property])).toEqual([property])
  })

  test('before OOMPolicy systemd has to leave memory alone', () => {
    const property: Property = ['OOMPolicy', { signature: 's', value: 'kill' }]
    expect(takenBy(253, [property])).toEqual([property])
    expect(takenBy(252, [property])).toEqual([['DisableControllers', { signature: 'as', value: ['memory'] }]])
  })
})
