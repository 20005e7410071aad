/** Limits as the kernel has them, in the container's cgroup. */
import { readdirSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isV1, readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { isRunc, messageOf } from '../../support/runtime.ts'
import { type Linux, withResources } from '../../support/spec.ts'

requires('root')
const t = useContainers()

type Resources = Linux['resources']

/** Fields, the controller, its file on v1 and v2, and what stands there for one value and for another. */
interface Field {
  readonly name: string
  readonly controller: string
  readonly file: { readonly v1?: string | string[]; readonly v2?: string | string[] }
  readonly values: readonly [Case, Case]
}

interface Case {
  readonly resources: Resources
  readonly v1?: string | RegExp
  readonly v2?: string | RegExp
}

const MiB = 1 << 20
/** The disk of the root or any other: a number that the kernel knows. */
const disk = wholeDisk()

/** What v1 shows for no limit: the highest number of whole pages. */
const unlimited = '9223372036854771712'

const fields: Field[] = [
  {
    name: 'memory.limit',
    controller: 'memory',
    file: { v1: 'memory.limit_in_bytes', v2: 'memory.max' },
    values: [
      same({ memory: { limit: 64 * MiB } }, `${64 * MiB}`),
      same({ memory: { limit: 96 * MiB } }, `${96 * MiB}`),
    ],
  },
  {
    name: 'memory.limit, none',
    controller: 'memory',
    file: { v1: 'memory.limit_in_bytes', v2: 'memory.max' },
    values: [
      same({ memory: { limit: 64 * MiB } }, `${64 * MiB}`),
      { resources: { memory: { limit: -1 } }, v1: unlimited, v2: 'max' },
    ],
  },
  {
    name: 'memory.swap',
    controller: 'memory',
    file: { v1: 'memory.memsw.limit_in_bytes', v2: 'memory.swap.max' },
    values: [
      { resources: { memory: { limit: 64 * MiB, swap: 80 * MiB } }, v1: `${80 * MiB}`, v2: `${16 * MiB}` },
      { resources: { memory: { limit: 96 * MiB, swap: 96 * MiB } }, v1: `${96 * MiB}`, v2: '0' },
    ],
  },
  {
    name: 'memory.swap, none',
    controller: 'memory',
    file: { v1: 'memory.memsw.limit_in_bytes', v2: 'memory.swap.max' },
    values: [
      { resources: { memory: { limit: 64 * MiB, swap: 80 * MiB } }, v1: `${80 * MiB}`, v2: `${16 * MiB}` },
      { resources: { memory: { limit: 64 * MiB, swap: -1 } }, v1: unlimited, v2: 'max' },
    ],
  },
  {
    name: 'memory.reservation',
    controller: 'memory',
    file: { v1: 'memory.soft_limit_in_bytes', v2: 'memory.low' },
    values: [
      same({ memory: { reservation: 32 * MiB } }, `${32 * MiB}`),
      same({ memory: { reservation: 16 * MiB } }, `${16 * MiB}`),
    ],
  },
  {
    name: 'memory.reservation, none',
    controller: 'memory',
    file: { v1: 'memory.soft_limit_in_bytes', v2: 'memory.low' },
    values: [
      same({ memory: { reservation: 32 * MiB } }, `${32 * MiB}`),
      { resources: { memory: { reservation: -1 } }, v1: unlimited, v2: 'max' },
    ],
  },
  {
    name: 'memory.swappiness',
    controller: 'memory',
    file: { v1: 'memory.swappiness' },
    values: [v1Only({ memory: { swappiness: 0 } }, '0'), v1Only({ memory: { swappiness: 35 } }, '35')],
  },
  {
    name: 'memory.disableOOMKiller',
    controller: 'memory',
    file: { v1: 'memory.oom_control' },
    values: [
      v1Only({ memory: { disableOOMKiller: false } }, /oom_kill_disable 0/),
      v1Only({ memory: { disableOOMKiller: true } }, /oom_kill_disable 1/),
    ],
  },
  {
    name: 'memory.kernelTCP',
    controller: 'memory',
    file: { v1: 'memory.kmem.tcp.limit_in_bytes' },
    values: [
      v1Only({ memory: { kernelTCP: 8 * MiB } }, `${8 * MiB}`),
      v1Only({ memory: { kernelTCP: 4 * MiB } }, `${4 * MiB}`),
    ],
  },
  {
    name: 'cpu.shares',
    controller: 'cpu',
    file: { v1: 'cpu.shares', v2: 'cpu.weight' },
    values: [
      { resources: { cpu: { shares: 512 } }, v1: '512', v2: '20' },
      { resources: { cpu: { shares: 2048 } }, v1: '2048', v2: '79' },
    ],
  },
  {
    name: 'cpu.quota',
    controller: 'cpu',
    file: { v1: 'cpu.cfs_quota_us', v2: 'cpu.max' },
    values: [
      { resources: { cpu: { quota: 50_000 } }, v1: '50000', v2: '50000 100000' },
      { resources: { cpu: { quota: -1 } }, v1: '-1', v2: 'max 100000' },
    ],
  },
  {
    name: 'cpu.period',
    controller: 'cpu',
    file: { v1: 'cpu.cfs_period_us', v2: 'cpu.max' },
    values: [
      { resources: { cpu: { quota: 10_000, period: 20_000 } }, v1: '20000', v2: '10000 20000' },
      { resources: { cpu: { quota: 10_000, period: 200_000 } }, v1: '200000', v2: '10000 200000' },
    ],
  },
  {
    name: 'cpu.burst',
    controller: 'cpu',
    file: { v1: 'cpu.cfs_burst_us', v2: 'cpu.max.burst' },
    values: [
      same({ cpu: { quota: 50_000, burst: 20_000 } }, '20000'),
      same({ cpu: { quota: 50_000, burst: 1000 } }, '1000'),
    ],
  },
  {
    name: 'cpu.idle',
    controller: 'cpu',
    file: { v1: 'cpu.idle', v2: 'cpu.idle' },
    values: [same({ cpu: { idle: 1 } }, '1'), same({ cpu: { idle: 0 } }, '0')],
  },
  {
    name: 'cpu.cpus',
    controller: 'cpuset',
    file: { v1: 'cpuset.cpus', v2: 'cpuset.cpus' },
    values: [same({ cpu: { cpus: '0' } }, '0'), same({ cpu: { cpus: '0-1' } }, '0-1')],
  },
  {
    name: 'cpu.mems',
    controller: 'cpuset',
    file: { v1: 'cpuset.mems', v2: 'cpuset.mems' },
    values: [same({ cpu: { mems: '0' } }, '0'), same({ cpu: { mems: '0' } }, '0')],
  },
  {
    name: 'pids.limit',
    controller: 'pids',
    file: { v1: 'pids.max', v2: 'pids.max' },
    values: [same({ pids: { limit: 20 } }, '20'), same({ pids: { limit: -1 } }, 'max')],
  },
  {
    name: 'blockIO.weight',
    controller: isV1('blkio') ? 'blkio' : 'io',
    file: { v1: ['blkio.bfq.weight', 'blkio.weight'], v2: ['io.bfq.weight', 'io.weight'] },
    values: [
      { resources: { blockIO: { weight: 500 } }, v1: '500', v2: /^default (500|4950)$/ },
      { resources: { blockIO: { weight: 20 } }, v1: '20', v2: /^default (20|102)$/ },
    ],
  },
  ...(
    [
      ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps'],
      ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps'],
      ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops'],
      ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops'],
    ] as const
  ).map(([name, v1, key]): Field => {
    const rate = (value: number): Case => ({
      resources: { blockIO: { [name]: [{ ...disk, rate: value }] } },
      v1: `${disk.major}:${disk.minor} ${value}`,
      v2: new RegExp(`^${disk.major}:${disk.minor} .*\\b${key}=${value}\\b`),
    })
    return {
      name: `blockIO.${name}`,
      controller: isV1('blkio') ? 'blkio' : 'io',
      file: { v1, v2: 'io.max' },
      values: [rate(1_048_576), rate(2_097_152)],
    }
  }),
  {
    name: 'hugepageLimits',
    controller: 'hugetlb',
    file: { v1: 'hugetlb.2MB.limit_in_bytes', v2: 'hugetlb.2MB.max' },
    values: [
      same({ hugepageLimits: [{ pageSize: '2MB', limit: 8 * MiB }] }, `${8 * MiB}`),
      same({ hugepageLimits: [{ pageSize: '2MB', limit: 0 }] }, '0'),
    ],
  },
  {
    name: 'hugepageLimits, reserved pages',
    controller: 'hugetlb',
    file: { v1: 'hugetlb.2MB.rsvd.limit_in_bytes', v2: 'hugetlb.2MB.rsvd.max' },
    values: [
      same({ hugepageLimits: [{ pageSize: '2MB', limit: 8 * MiB }] }, `${8 * MiB}`),
      same({ hugepageLimits: [{ pageSize: '2MB', limit: 0 }] }, '0'),
    ],
  },
  {
    name: 'network.classID',
    controller: 'net_cls',
    file: { v1: 'net_cls.classid' },
    values: [v1Only({ network: { classID: 0x10001 } }, '65537'), v1Only({ network: { classID: 0x10002 } }, '65538')],
  },
  {
    name: 'network.priorities',
    controller: 'net_prio',
    file: { v1: 'net_prio.ifpriomap' },
    values: [
      v1Only({ network: { priorities: [{ name: 'lo', priority: 5 }] } }, /^lo 5$/m),
      v1Only({ network: { priorities: [{ name: 'lo', priority: 3 }] } }, /^lo 3$/m),
    ],
  },
  {
    name: 'unified["memory.high"]',
    controller: 'memory',
    file: { v2: 'memory.high' },
    values: [
      { resources: { unified: { 'memory.high': `${64 * MiB}` } }, v2: `${64 * MiB}` },
      { resources: { unified: { 'memory.high': 'max' } }, v2: 'max' },
    ],
  },
  {
    name: 'unified["memory.max"], after the field that is about the same file',
    controller: 'memory',
    file: { v2: 'memory.max' },
    values: [
      { resources: { memory: { limit: 64 * MiB }, unified: { 'memory.max': `${80 * MiB}` } }, v2: `${80 * MiB}` },
      { resources: { memory: { limit: 96 * MiB }, unified: { 'memory.max': `${72 * MiB}` } }, v2: `${72 * MiB}` },
    ],
  },
]

function same(resources: Resources, text: string): Case {
  return { resources, v1: text, v2: text }
}

function v1Only(resources: Resources, text: string | RegExp): Case {
  return { resources, v1: text }
}

/** What the host can try of the table. */
function onThisHost({ controller, file }: Field): boolean {
  return isV1(controller) ? file.v1 !== undefined : file.v2 !== undefined && hasV2(controller)
}

/** runc leaves the controllers that a hybrid host has in its v2 hierarchy alone. */
function hasV2(controller: string): boolean {
  const mount = cgroupMounts()['']
  if (isRunc && mount !== '/sys/fs/cgroup') return false
  return mount !== undefined && t.read(`${mount}/cgroup.controllers`).split(/\s+/).includes(controller)
}

function expectValue(pid: number, { controller, file }: Field, { v1, v2 }: Case): void {
  const version = isV1(controller) ? 'v1' : 'v2'
  const text = readCgroup(pid, controller, ...[file[version] ?? []].flat())
  const wanted = version === 'v1' ? v1 : v2
  expect(text).toMatch(wanted instanceof RegExp ? wanted : new RegExp(`^${wanted}$`))
}

/** runc 1.1 knows neither burst nor idle, and not the reserved pages. */
const newerThanRunc = new Set(['cpu.burst', 'cpu.idle', 'hugepageLimits, reserved pages', 'memory.kernelTCP'])
const tried = fields.filter(onThisHost).filter(({ name }) => !isRunc || !newerThanRunc.has(name))

describe.each(tried)('linux.resources.$name', (field) => {
  it('is set from the two values', async () => {
    for (const value of field.values) {
      const { pid } = await t.create({ spec: withResources(value.resources) })
      expectValue(pid, field, value)
    }
  })

  describe('in a container that runs', () => {
    requires('own-runtime')

    // runc's update knows the fields that it has flags for.
    it('is changed by update, in both directions', async () => {
      const [first, second] = field.values
      const { id, pid } = await t.running({ spec: withResources(first.resources) })
      for (const value of [second, first, second]) {
        await t.ok(['update', '--resources', '-', id], { input: JSON.stringify(value.resources) })
        expectValue(pid, field, value)
      }
    })
  })
})

describe('linux.resources.memory', () => {
  it('limit has all of its 64 bits', async () => {
    // The kernel rounds down to whole pages, a double up to the next one.
    const bundle = await t.bundle({ spec: withResources({ memory: { limit: 1, swap: -1 } }) })
    bundle.writeConfig(JSON.stringify(bundle.spec).replace('"limit":1,', '"limit":9007199254745087,'))
    const { pid } = await t.create(bundle)
    const file = isV1('memory') ? 'memory.limit_in_bytes' : 'memory.max'
    expect(readCgroup(pid, 'memory', file)).toBe('9007199254740992')
  })
})

describe('a limit that few kernels have', () => {
  requires('own-runtime')
  const at = `${disk.major}:${disk.minor}`

  it.each<[string, Resources, controller: string, files: string[], value: string]>([
    ['blockIO.leafWeight', { blockIO: { leafWeight: 300 } }, 'blkio', ['blkio.leaf_weight'], '300'],
    [
      'blockIO.weightDevice[0].weight',
      { blockIO: { weightDevice: [{ ...disk, weight: 300 }] } },
      'blkio',
      ['blkio.bfq.weight_device', 'blkio.weight_device', 'io.bfq.weight', 'io.weight'],
      at,
    ],
    [
      'blockIO.weightDevice[0].leafWeight',
      { blockIO: { weightDevice: [{ ...disk, leafWeight: 300 }] } },
      'blkio',
      ['blkio.leaf_weight_device'],
      at,
    ],
    ['rdma.mlx5_0', { rdma: { mlx5_0: { hcaHandles: 3, hcaObjects: 5 } } }, 'rdma', ['rdma.max'], 'mlx5_0'],
  ])('%s is there, or refused by its name', async (name, resources, controller, files, value) => {
    const bundle = await t.bundle({ spec: withResources(resources) })
    const id = t.id()
    const result = await t.runtime(['create', '--bundle', bundle.path, id])
    if (result.exitCode === 0) {
      const { pid } = await t.state(id)
      expect(readCgroup(pid, isV1('blkio') || controller !== 'blkio' ? controller : 'io', ...files)).toContain(value)
      return
    }
    expect(messageOf(result)).toContain(`linux.resources.${name}: `)
    t.expectNothingLeft()
  })
})

describe('linux.resources.pids of a document before 1.3', () => {
  it.each(['1.0.2-dev', '1.2.1'])('limit 0 is none: %s', async (ociVersion) => {
    const withZero = withResources({ pids: { limit: 0 } })
    const { pid } = await t.create({
      spec: (spec) => {
        withZero(spec)
        spec.ociVersion = ociVersion
      },
    })
    expect(readCgroup(pid, 'pids', 'pids.max')).toBe('max')
  })
})

describe('linux.resources.pids', () => {
  requires('own-runtime')

  it('limit 0 is a limit, as with runc since 1.4', async () => {
    const { pid } = await t.create({ spec: withResources({ pids: { limit: 0 } }) })
    expect(readCgroup(pid, 'pids', 'pids.max')).toBe('0')
  })

  it('update takes 0 as the container that it is about does', async () => {
    for (const [ociVersion, value] of [
      ['1.2.0', 'max'],
      ['1.3.0', '0'],
    ]) {
      const { id, pid } = await t.create({
        spec: (spec) => {
          withResources({ pids: { limit: 9 } })(spec)
          spec.ociVersion = ociVersion as string
        },
      })
      await t.ok(['update', '--resources', '-', id], { input: '{"pids":{"limit":0}}' })
      expect(readCgroup(pid, 'pids', 'pids.max')).toBe(value)
    }
  })
})

describe('a field that the host cannot have', () => {
  requires('own-runtime')

  it.each(fields.filter((field) => !onThisHost(field)))('$name is refused by its name', async ({ name, values }) => {
    const [field] = name.split(', ')
    const bundle = await t.bundle({ spec: withResources(values[1].resources) })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toContain(`linux.resources.${field}`)
    expect(messageOf(result)).toMatch(/host has no \w+ controller|of cgroup v2 has no such limit: remove the field$/)
    t.expectNothingLeft()
  })
})

function wholeDisk(): { major: number; minor: number } {
  const names = readdirSync('/sys/block')
  const name = names.find((name) => /^(vd|sd|nvme)/.test(name)) ?? names[0] ?? 'loop0'
  const { rdev } = statSync(`/dev/${name}`, { throwIfNoEntry: false }) ?? { rdev: 0 }
  if (rdev !== 0) return { major: rdev >> 8, minor: rdev & 0xff }
  return { major: 7, minor: 0 }
}
