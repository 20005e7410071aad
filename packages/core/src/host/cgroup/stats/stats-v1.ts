/** Statistics of the controllers of cgroup v1. */

import { type CgroupFiles, parseList, withoutEmpty } from './cgroup-files.ts'
import type { BlkioEntry, CpuStats, HugetlbStats, MemoryEntry, MemoryStats, Stats } from './stats.ts'

/** USER_HZ, in which cpuacct.stat counts. */
const NS_PER_TICK = 1e9 / 100

export function statsV1(files: CgroupFiles): Stats {
  return {
    cpu: cpu(files),
    cpuset: cpuset(files),
    memory: memory(files),
    pids: withoutEmpty({ current: files.number('pids', 'pids.current'), limit: files.number('pids', 'pids.max') }),
    blkio: blkio(files),
    hugetlb: hugetlb(files),
    intel_rdt: {},
    network_interfaces: null,
  }
}

function cpu(files: CgroupFiles): CpuStats {
  const ticks = files.table('cpuacct', 'cpuacct.stat')
  const { nr_periods, nr_throttled, throttled_time } = files.table('cpu', 'cpu.stat')
  // The header, then CPU, user and system.
  const perCpu = (files.text('cpuacct', 'cpuacct.usage_all') ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.split(' ').map(Number))
  return {
    usage: {
      ...withoutEmpty({
        total: files.number('cpuacct', 'cpuacct.usage'),
        percpu: files.list('cpuacct', 'cpuacct.usage_percpu'),
        percpu_kernel: perCpu.map(([, , system = 0]) => system),
        percpu_user: perCpu.map(([, user = 0]) => user),
      }),
      kernel: (ticks.system ?? 0) * NS_PER_TICK,
      user: (ticks.user ?? 0) * NS_PER_TICK,
    },
    throttling: withoutEmpty({
      periods: nr_periods ?? 0,
      throttledPeriods: nr_throttled ?? 0,
      throttledTime: throttled_time ?? 0,
    }),
  }
}

const cpusetFlags = [
  'mem_hardwall',
  'mem_exclusive',
  'memory_migrate',
  'memory_spread_page',
  'memory_spread_slab',
  'memory_pressure',
  'sched_load_balance',
  'sched_relax_domain_level',
]

function cpuset(files: CgroupFiles): object {
  const flag = (name: string): number => files.number('cpuset', `cpuset.${name}`)
  return {
    ...withoutEmpty({ cpus: parseList(files.text('cpuset', 'cpuset.cpus')) }),
    cpu_exclusive: flag('cpu_exclusive'),
    ...withoutEmpty({ mems: parseList(files.text('cpuset', 'cpuset.mems')) }),
    ...Object.fromEntries(cpusetFlags.map((name) => [name, flag(name)])),
  }
}

function memory(files: CgroupFiles): MemoryStats {
  const raw = files.exactTable('memory', 'memory.stat')
  const entry = (prefix: string): MemoryEntry => ({
    limit: BigInt(files.text('memory', `${prefix}.limit_in_bytes`) ?? 0),
    ...withoutEmpty({
      usage: files.number('memory', `${prefix}.usage_in_bytes`),
      max: files.number('memory', `${prefix}.max_usage_in_bytes`),
    }),
    failcnt: files.number('memory', `${prefix}.failcnt`),
  })
  return {
    ...withoutEmpty({ cache: raw.cache ?? 0 }),
    usage: entry('memory'),
    swap: entry('memory.memsw'),
    kernel: entry('memory.kmem'),
    kernelTCP: entry('memory.kmem.tcp'),
    raw,
  }
}

/** bfq's counters, which count only what goes through it, else those of the throttle. */
function blkio(files: CgroupFiles): Readonly<Record<string, readonly BlkioEntry[]>> {
  const read = (name: string): BlkioEntry[] => {
    const bfq = entries(files.text('blkio', `blkio.bfq.${name}_recursive`))
    return bfq.length > 0 ? bfq : entries(files.text('blkio', `blkio.throttle.${name}_recursive`))
  }
  return withoutEmpty({ ioServiceBytesRecursive: read('io_service_bytes'), ioServicedRecursive: read('io_serviced') })
}

/** `8:0 Read 4096`; a line without a device is the sum of all. */
function entries(text = ''): BlkioEntry[] {
  return text.split('\n').flatMap((line) => {
    const [, major, minor, op, value] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? []
    if (op === undefined) return []
    return [withoutEmpty({ major: Number(major), minor: Number(minor), op, value: Number(value) })]
  })
}

function hugetlb(files: CgroupFiles): Record<string, HugetlbStats> {
  if (files.directory('hugetlb') === undefined) return {}
  const sizes = files.names('hugetlb').flatMap((name) => /^hugetlb\.(\w+)\.limit_in_bytes$/.exec(name)?.[1] ?? [])
  return Object.fromEntries(
    sizes.map((size) => [
      size,
      {
        ...withoutEmpty({
          usage: files.number('hugetlb', `hugetlb.${size}.usage_in_bytes`),
          max: files.number('hugetlb', `hugetlb.${size}.max_usage_in_bytes`),
        }),
        failcnt: files.number('hugetlb', `hugetlb.${size}.failcnt`),
      },
    ]),
  )
}
