import { ioWeight } from '@crio-lxc/core/host/cgroup/plan/block-io-writes'
import { weightOfShares } from '@crio-lxc/core/host/cgroup/plan/cpu-writes'
import type { Resources } from '@crio-lxc/core/oci/resources'
import { describe, expect, test } from 'vitest'
import { type Host, writesOn } from './layouts.ts'

type Row = [what: string, host: Host, resources: Resources, writes: string[], present?: Record<string, string>]

const rows: Record<string, Row[]> = {
  memory: [
    ['the limit', 'v1', { memory: { limit: 100 } }, ['memory.limit_in_bytes 100']],
    ['the limit', 'hybrid', { memory: { limit: 100 } }, ['memory.limit_in_bytes 100']],
    ['the limit', 'v2', { memory: { limit: 100 } }, ['memory.max 100']],
    ['the limit, where only memory is on v2', 'mixed', { memory: { limit: 100 } }, ['memory.max 100']],
    ['64 bits', 'v2', { memory: { limit: 2n ** 62n } }, ['memory.max 4611686018427387904']],
    ['the reservation', 'v1', { memory: { reservation: 5 } }, ['memory.soft_limit_in_bytes 5']],
    ['the reservation', 'v2', { memory: { reservation: 5 } }, ['memory.low 5']],
    [
      'no limit, which frees swap as well',
      'v1',
      { memory: { limit: -1 } },
      ['memory.memsw.limit_in_bytes -1 ?', 'memory.limit_in_bytes -1'],
    ],
    [
      'no limit',
      'v2',
      { memory: { limit: -1, reservation: -1 } },
      ['memory.swap.max max ?', 'memory.max max', 'memory.low max'],
    ],
    [
      'limit before swap in a new cgroup',
      'v1',
      { memory: { limit: 10, swap: 20 } },
      ['memory.limit_in_bytes 10', 'memory.memsw.limit_in_bytes 20'],
    ],
    [
      'swap before limit when both are raised',
      'hybrid',
      { memory: { limit: 100, swap: 200 } },
      ['memory.memsw.limit_in_bytes 200', 'memory.limit_in_bytes 100'],
      { 'memory.limit_in_bytes': '10', 'memory.memsw.limit_in_bytes': '20' },
    ],
    [
      'limit before swap when both are lowered',
      'hybrid',
      { memory: { limit: 10, swap: 20 } },
      ['memory.limit_in_bytes 10', 'memory.memsw.limit_in_bytes 20'],
      { 'memory.limit_in_bytes': '100', 'memory.memsw.limit_in_bytes': '200' },
    ],
    [
      'unlimited swap first',
      'v1',
      { memory: { limit: 10, swap: -1 } },
      ['memory.memsw.limit_in_bytes -1', 'memory.limit_in_bytes 10'],
    ],
    [
      'swap without the memory in it',
      'v2',
      { memory: { limit: 10, swap: 30 } },
      ['memory.swap.max 20', 'memory.max 10'],
    ],
    [
      'the limit and, in unified, swap: the sum is what these two make',
      'v2',
      { memory: { limit: 100 }, unified: { 'memory.swap.max': '50' } },
      ['memory.max 100', 'memory.swap.max 50'],
      { 'memory.max': '50', 'memory.swap.max': '20' },
    ],
    [
      'no limit and, in unified, swap',
      'v2',
      { memory: { limit: -1 }, unified: { 'memory.swap.max': '50' } },
      ['memory.max max', 'memory.swap.max 50'],
    ],
    [
      'the sum beside the limit in unified',
      'v2',
      { memory: { swap: 30 }, unified: { 'memory.max': '10' } },
      ['memory.swap.max 20', 'memory.max 10'],
    ],
    [
      'swap beside no limit in unified',
      'v2',
      { memory: { limit: 100, swap: 30 }, unified: { 'memory.max': 'max' } },
      ['memory.swap.max 30', 'memory.max 100', 'memory.max max'],
    ],
    ['no swap at all', 'v2', { memory: { limit: 10, swap: 10 } }, ['memory.swap.max 0 ?', 'memory.max 10']],
    ['unlimited swap', 'v2', { memory: { limit: 10, swap: -1 } }, ['memory.swap.max max ?', 'memory.max 10']],
    [
      'swap beside unlimited memory',
      'v2',
      { memory: { limit: -1, swap: 30 } },
      ['memory.swap.max 30', 'memory.max max'],
    ],
    [
      'swap beside the present limit',
      'v2',
      { memory: { swap: 30 } },
      ['memory.swap.max 20'],
      { 'memory.max': '10', 'memory.swap.max': 'max' },
    ],
    [
      'the limit alone, with the same sum',
      'v2',
      { memory: { limit: 15 } },
      ['memory.swap.max 15', 'memory.max 15'],
      { 'memory.max': '10', 'memory.swap.max': '20' },
    ],
    [
      'the limit alone',
      'v2',
      { memory: { limit: 15 } },
      ['memory.max 15'],
      { 'memory.max': '10', 'memory.swap.max': 'max' },
    ],
    ['swappiness, where 0 is a value', 'v1', { memory: { swappiness: 0 } }, ['memory.swappiness 0']],
    ['disableOOMKiller', 'v1', { memory: { disableOOMKiller: true } }, ['memory.oom_control 1']],
    [
      'disableOOMKiller taken back',
      'v1',
      { memory: { disableOOMKiller: false } },
      ['memory.oom_control 0'],
      { 'memory.oom_control': 'oom_kill_disable 1\nunder_oom 0' },
    ],
    ['disableOOMKiller as it is', 'v1', { memory: { disableOOMKiller: false } }, []],
    ['kernelTCP', 'v1', { memory: { kernelTCP: 7 } }, ['memory.kmem.tcp.limit_in_bytes 7']],
    [
      'nothing for 0 and false',
      'bare',
      { memory: { limit: 0, swap: 0, disableOOMKiller: false, useHierarchy: true } },
      [],
    ],
    [
      'a limit above the usage, when that is checked',
      'v2',
      { memory: { limit: 10, checkBeforeUpdate: true } },
      ['memory.max 10'],
      { 'memory.current': '9' },
    ],
  ],
  cpu: [
    ['shares', 'v1', { cpu: { shares: 512 } }, ['cpu.shares 512']],
    ['shares as a weight', 'v2', { cpu: { shares: 1024 } }, ['cpu.weight 39']],
    [
      'quota and period',
      'v1',
      { cpu: { quota: 5000, period: 200_000 } },
      ['cpu.cfs_period_us 200000', 'cpu.cfs_quota_us 5000'],
    ],
    [
      'a shorter period after the quota',
      'v1',
      { cpu: { quota: 5000, period: 20_000 } },
      ['cpu.cfs_quota_us 5000', 'cpu.cfs_period_us 20000'],
    ],
    [
      'a longer period before the quota',
      'hybrid',
      { cpu: { quota: 5000, period: 20_000 } },
      ['cpu.cfs_period_us 20000', 'cpu.cfs_quota_us 5000'],
      { 'cpu.cfs_period_us': '10000' },
    ],
    ['quota and period in one', 'v2', { cpu: { quota: 5000, period: 20_000 } }, ['cpu.max 5000 20000']],
    ['the quota alone', 'v2', { cpu: { quota: 5000 } }, ['cpu.max 5000']],
    [
      'the period beside the present quota',
      'v2',
      { cpu: { period: 20_000 } },
      ['cpu.max 700 20000'],
      { 'cpu.max': '700 1000' },
    ],
    ['the period beside no quota', 'v2', { cpu: { period: 20_000 } }, ['cpu.max max 20000']],
    ['no quota', 'v1', { cpu: { quota: -1 } }, ['cpu.cfs_quota_us -1']],
    ['no quota', 'v2', { cpu: { quota: -1 } }, ['cpu.max max']],
    [
      'a burst within no quota first',
      'v1',
      { cpu: { quota: 50, burst: 20 } },
      ['cpu.cfs_burst_us 20', 'cpu.cfs_quota_us 50'],
    ],
    [
      'a burst above the present quota last',
      'v1',
      { cpu: { quota: 50, burst: 20 } },
      ['cpu.cfs_quota_us 50', 'cpu.cfs_burst_us 20'],
      { 'cpu.cfs_quota_us': '10' },
    ],
    [
      'a burst',
      'v2',
      { cpu: { quota: 50, burst: 20 } },
      ['cpu.max 50', 'cpu.max.burst 20'],
      { 'cpu.max': '10 100000' },
    ],
    ['a burst of 0, which older kernels have', 'v2', { cpu: { burst: 0 } }, ['cpu.max.burst 0 ?']],
    ['idle', 'v1', { cpu: { idle: 1 } }, ['cpu.idle 1']],
    ['idle after shares', 'v2', { cpu: { idle: 1, shares: 2 } }, ['cpu.weight 1', 'cpu.idle 1']],
    [
      'not idle before shares',
      'v1',
      { cpu: { idle: 0, shares: 9 } },
      ['cpu.idle 0 ?', 'cpu.shares 9'],
      { 'cpu.idle': '1' },
    ],
    ['not idle where nothing says so', 'v2', { cpu: { idle: 0 } }, ['cpu.idle 0 ?']],
    [
      'realtime',
      'v1',
      { cpu: { realtimeRuntime: 500, realtimePeriod: 1_000_000 } },
      ['cpu.rt_period_us 1000000', 'cpu.rt_runtime_us 500'],
      { 'cpu.rt_period_us': '1000000' },
    ],
    ['cpus and mems', 'v1', { cpu: { cpus: '0-1', mems: '0' } }, ['cpuset.cpus 0-1', 'cpuset.mems 0']],
    ['cpus', 'v2', { cpu: { cpus: '1' } }, ['cpuset.cpus 1']],
    ['nothing for 0 and ""', 'bare', { cpu: { shares: 0, quota: 0, period: 0, cpus: '', realtimeRuntime: 0 } }, []],
  ],
  pids: [
    ['the limit', 'hybrid', { pids: { limit: 10 } }, ['pids.max 10']],
    ['the limit', 'v2', { pids: { limit: 10 } }, ['pids.max 10']],
    ['-1 as no limit', 'v1', { pids: { limit: -1 } }, ['pids.max max']],
    ['0 as the limit that it is', 'v2', { pids: { limit: 0 } }, ['pids.max 0']],
    ['nothing without a limit', 'bare', { pids: {} }, []],
  ],
  blockIO: [
    [
      'the weight, of either scheduler',
      'v1',
      { blockIO: { weight: 500 } },
      ['blkio.bfq.weight 500 | blkio.weight 500'],
    ],
    ['the weight, of either scheduler', 'v2', { blockIO: { weight: 500 } }, ['io.bfq.weight 500 | io.weight 4950']],
    ['leaf weights', 'v1', { blockIO: { leafWeight: 20 } }, ['blkio.leaf_weight 20']],
    [
      'weights of devices',
      'v1',
      { blockIO: { weightDevice: [{ major: 8, minor: 1, weight: 10, leafWeight: 30 }] } },
      ['blkio.bfq.weight_device 8:1 10 | blkio.weight_device 8:1 10', 'blkio.leaf_weight_device 8:1 30'],
    ],
    [
      'weights of devices',
      'v2',
      { blockIO: { weightDevice: [{ major: 8, minor: 1, weight: 10 }] } },
      ['io.bfq.weight 8:1 10 | io.weight 8:1 1'],
    ],
    ...(['ReadBps', 'WriteBps', 'ReadIOPS', 'WriteIOPS'] as const).flatMap((kind): Row[] => {
      const blockIO = {
        [`throttle${kind}Device`]: [
          { major: 8, minor: 0, rate: 5 },
          { major: 8, minor: 16, rate: 0 },
        ],
      }
      const [, way = '', unit = ''] = /^(Read|Write)(.*)$/.exec(kind) ?? []
      const file = `blkio.throttle.${way.toLowerCase()}_${unit.toLowerCase()}_device`
      const key = `${way[0]?.toLowerCase()}${unit.toLowerCase()}`
      return [
        [`throttles: ${kind}`, 'v1', { blockIO }, [`${file} 8:0 5`, `${file} 8:16 0`]],
        [`throttles: ${kind}`, 'v2', { blockIO }, [`io.max 8:0 ${key}=5`, `io.max 8:16 ${key}=max`]],
      ]
    }),
    ['nothing for nothing', 'bare', { blockIO: { weight: 0, weightDevice: [] } }, []],
  ],
  others: [
    [
      'hugepages, used and reserved',
      'v1',
      { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] },
      ['hugetlb.2MB.limit_in_bytes 0', 'hugetlb.2MB.rsvd.limit_in_bytes 0 ?'],
    ],
    [
      'hugepages, used and reserved',
      'v2',
      { hugepageLimits: [{ pageSize: '1GB', limit: 2 ** 30 }] },
      ['hugetlb.1GB.max 1073741824', 'hugetlb.1GB.rsvd.max 1073741824 ?'],
    ],
    [
      'rdma',
      'v1',
      { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 0 } } },
      ['rdma.max mlx5_1 hca_handle=3 hca_object=0'],
    ],
    ['rdma', 'v2', { rdma: { mlx5_1: { hcaObjects: 4 }, mlx4_0: {} } }, ['rdma.max mlx5_1 hca_object=4']],
    [
      'network',
      'v1',
      { network: { classID: 0x100001, priorities: [{ name: 'eth0', priority: 5 }] } },
      ['net_cls.classid 1048577', 'net_prio.ifpriomap eth0 5'],
    ],
    [
      'unified files, after the fields',
      'v2',
      { unified: { 'memory.high': '5', 'cgroup.max.depth': '3' }, memory: { limit: 10 } },
      ['memory.max 10', 'memory.high 5', 'cgroup.max.depth 3'],
    ],
    ['unified files beside v1', 'hybrid', { unified: { 'cgroup.max.depth': '3' } }, ['cgroup.max.depth 3']],
    ['nothing for nothing', 'bare', {}, []],
  ],
}

describe.each(Object.entries(rows))('planResourceWrites(): %s', (_, list) => {
  test.each(list)('%s on %s', (_what, host, resources, writes, present = {}) => {
    expect(writesOn(host, resources, present)).toEqual(writes)
  })
})

const refused: [Host, Resources, RegExp, Record<string, string>?][] = [
  [
    'bare',
    { memory: { limit: 5 } },
    /^linux\.resources\.memory\.limit: the host has no memory controller: remove the field$/,
  ],
  ['bare', { memory: { swappiness: 0 } }, /^linux\.resources\.memory\.swappiness: the host has no memory controller/],
  ['bare', { cpu: { idle: 1 } }, /^linux\.resources\.cpu\.idle: the host has no cpu controller/],
  ['bare', { cpu: { mems: '0' } }, /^linux\.resources\.cpu\.mems: the host has no cpuset controller/],
  ['bare', { pids: { limit: -1 } }, /^linux\.resources\.pids\.limit: the host has no pids controller/],
  ['mixed', { blockIO: { weight: 10 } }, /^linux\.resources\.blockIO\.weight: the host has no io controller/],
  [
    'bare',
    { hugepageLimits: [{ pageSize: '2MB', limit: 1 }] },
    /^linux\.resources\.hugepageLimits\[0\]: the host has no hugetlb/,
  ],
  ['bare', { rdma: { x: { hcaHandles: 1 } } }, /^linux\.resources\.rdma\.x: the host has no rdma controller/],
  ['v2', { network: { classID: 1 } }, /^linux\.resources\.network\.classID: the host has no net_cls controller/],
  [
    'v2',
    { network: { priorities: [{ name: 'a', priority: 1 }] } },
    /^linux\.resources\.network\.priorities\[0\]: the host has no net_prio/,
  ],
  [
    'v1',
    { unified: { 'memory.high': '1' } },
    /^linux\.resources\.unified\["memory\.high"\]: invalid configuration: the host has no cgroup v2/,
  ],
  [
    'hybrid',
    { unified: { 'memory.high': '1' } },
    /^linux\.resources\.unified\["memory\.high"\]: invalid configuration: the host has no memory controller in cgroup v2/,
  ],
  [
    'v2',
    { unified: { 'pids.max': '' } },
    /^linux\.resources\.unified\["pids\.max"\]: must be what the file is to hold/,
  ],
  ['v2', { unified: { 'pids.max': ' \n' } }, /^linux\.resources\.unified\["pids\.max"\]: must be what the file/],
  ['v2', { unified: { 'pids.max': '1\0' } }, /^linux\.resources\.unified\["pids\.max"\]: must be what the file/],
  ['v2', { unified: { 'cgroup.freeze': '1' } }, /^linux\.resources\.unified\["cgroup\.freeze"\]: is about processes/],
  [
    'v2',
    { unified: { 'cgroup.type': 'threaded' } },
    /^linux\.resources\.unified\["cgroup\.type"\]: is about processes/,
  ],
  ['v2', { unified: { '../x': '1' } }, /^linux\.resources\.unified\["\.\.\/x"\]: must be the name of a file/],
  ['v2', { hugepageLimits: [{ pageSize: '../2MB', limit: 1 }] }, /hugepageLimits\[0\]\.pageSize: must be like/],
  [
    'v2',
    { memory: { disableOOMKiller: true } },
    /memory\.disableOOMKiller: the memory controller of cgroup v2 has no such limit/,
  ],
  ['v2', { memory: { swappiness: 60 } }, /memory\.swappiness: the memory controller of cgroup v2 has no such limit/],
  ['v2', { memory: { kernelTCP: 60 } }, /memory\.kernelTCP: the memory controller of cgroup v2 has no such limit/],
  ['v2', { cpu: { realtimePeriod: 60 } }, /cpu\.realtimePeriod: the cpu controller of cgroup v2 has no such limit/],
  ['v2', { blockIO: { leafWeight: 60 } }, /blockIO\.leafWeight: the io controller of cgroup v2 has no such limit/],
  ['v1', { memory: { swappiness: 101 } }, /memory\.swappiness: must be from 0 to 100, got 101/],
  ['v1', { memory: { limit: -2 } }, /memory\.limit: must be -1 or more, got -2/],
  ['v1', { cpu: { shares: 1 } }, /cpu\.shares: must be from 2 to 262144, got 1/],
  ['v1', { cpu: { quota: -2 } }, /cpu\.quota: must be -1 or more/],
  ['v2', { cpu: { idle: 2 } }, /cpu\.idle: must be 0 or 1, got 2/],
  ['v1', { blockIO: { weight: 9 } }, /blockIO\.weight: must be from 10 to 1000, got 9/],
  ['v2', { memory: { swap: 5 } }, /memory\.swap: is memory and swap together: give linux\.resources\.memory\.limit/],
  [
    'v2',
    { memory: { limit: 10, swap: 5 } },
    /memory\.swap: memory and swap together, 5, would be less than the memory limit, 10/,
  ],
  [
    'v2',
    { memory: { limit: 100 } },
    /memory\.limit: memory and swap together, 30, would be less than the memory limit, 100: set/,
    { 'memory.max': '10', 'memory.swap.max': '20' },
  ],
  [
    'v1',
    { memory: { limit: 10, checkBeforeUpdate: true } },
    /memory\.limit: the container uses 11 bytes, more than the limit of 10: checkBeforeUpdate refuses that/,
    { 'memory.usage_in_bytes': '11' },
  ],
]

test.each(refused)('planResourceWrites() on %s refuses %j', (host, resources, message, present = {}) => {
  expect(() => writesOn(host, resources, present)).toThrow(message)
})

test.each([
  [2, 1],
  [1024, 39],
  [262144, 10000],
  [1, 1],
  [2n ** 63n, 10000],
])('weightOfShares(%s) is %i', (shares, weight) => {
  expect(weightOfShares(shares)).toBe(weight)
})

test.each([
  [10, 1],
  [500, 4950],
  [1000, 10000],
])('ioWeight(%i) is %i', (weight, expected) => {
  expect(ioWeight(weight)).toBe(expected)
})
