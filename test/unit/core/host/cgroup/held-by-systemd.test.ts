import { heldBySystemd } from '@crio-lxc/core/host/cgroup/plan/held-by-systemd'
import { planLimitProperties, textsOf } from '@crio-lxc/core/host/cgroup/plan/limit-properties'
import { describe, expect, test } from 'vitest'
import { type Host, hosts } from './layouts.ts'

type Row = [host: Host, writes: [file: string, value: string][], held: string[], present?: Record<string, string>]

const rows: Row[] = [
  ['v2', [['cpu.max', '123456 100000']], ['cpu.max 124000 100000']],
  ['v2', [['cpu.max', '33333 100000']], ['cpu.max 34000 100000']],
  ['v2', [['cpu.max', '50000 100000']], ['cpu.max 50000 100000']],
  ['v2', [['cpu.max', '1000 3000']], ['cpu.max 1020 3000']],
  ['v2', [['cpu.max', '33333']], ['cpu.max 34000 100000']],
  ['v2', [['cpu.max', '33333']], ['cpu.max 33500 50000'], { 'cpu.max': 'max 50000' }],
  ['v2', [['cpu.max', 'max']], ['cpu.max max 50000'], { 'cpu.max': '1000 50000' }],
  ['v2', [['cpu.max', 'max 20000']], ['cpu.max max 20000']],
  // linux.resources.unified comes last, and leaves the period as the first has set it.
  [
    'v2',
    [
      ['cpu.max', '10000 50000'],
      ['cpu.max', ' 33333 '],
    ],
    ['cpu.max 10000 50000', 'cpu.max 33500 50000'],
  ],
  // What the kernel refuses is for the kernel to refuse.
  ['v2', [['cpu.max', '10 100000']], ['cpu.max 10 100000']],
  ['v2', [['cpu.max', 'x 0']], ['cpu.max x 0']],
  ['v2', [['pids.max', '0']], ['pids.max 1']],
  ['v2', [['pids.max', '7']], ['pids.max 7']],
  ['v1', [['pids.max', '0']], ['pids.max 1']],
  ['v1', [['cpu.cfs_quota_us', '33333']], ['cpu.cfs_quota_us 34000']],
  ['v1', [['cpu.cfs_quota_us', '-1']], ['cpu.cfs_quota_us -1']],
  [
    'v1',
    [
      ['cpu.cfs_period_us', '50000'],
      ['cpu.cfs_quota_us', '33333'],
    ],
    ['cpu.cfs_period_us 50000', 'cpu.cfs_quota_us 33500'],
  ],
  [
    'v1',
    [['cpu.cfs_period_us', '50000']],
    ['cpu.cfs_period_us 50000', 'cpu.cfs_quota_us 33500'],
    { 'cpu.cfs_quota_us': '33333' },
  ],
  ['v1', [['cpu.cfs_period_us', '50000']], ['cpu.cfs_period_us 50000'], { 'cpu.cfs_quota_us': '-1' }],
]

describe('heldBySystemd()', () => {
  test.each(rows)('%s %j', (host, given, held, present = {}) => {
    const layout = hosts[host]
    const [hierarchy] = layout.hierarchies
    const writes = given.map(([file, value]) => ({ hierarchy, file, value, field: 'f' }))
    const cgroup = { layout, read: (_: unknown, file: string) => present[file] }
    const found = heldBySystemd(writes, cgroup)
    expect(found.map(({ file, value }) => `${file} ${value}`)).toEqual(held)
    expect(heldBySystemd(found, cgroup)).toEqual(found)
  })

  test('systemd makes the same of it', () => {
    const [hierarchy] = hosts.v2.hierarchies
    const cgroup = { layout: hosts.v2, read: () => undefined }
    for (let quota = 1000; quota < 400_000; quota += 997) {
      const value = `${quota} ${1000 + quota}`
      const writes = heldBySystemd([{ hierarchy, file: 'cpu.max', value, field: 'f' }], cgroup)
      const properties = Object.fromEntries(planLimitProperties(textsOf(writes)).map(([name, of]) => [name, of.value]))
      const [perSecond, period] = [properties['CPUQuotaPerSecUSec'], properties['CPUQuotaPeriodUSec']] as bigint[]
      // It keeps whole percents: cgroup_apply_unified_cpu_quota().
      expect((perSecond ?? 0n) % 10_000n).toBe(0n)
      expect(writes[0]?.value).toBe(`${((perSecond ?? 0n) * (period ?? 0n)) / 1_000_000n} ${period}`)
    }
  })
})
