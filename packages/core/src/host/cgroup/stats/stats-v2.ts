/** Statistics of cgroup v2, under the names that runc gives them. */

import { type CgroupFiles, withoutEmpty } from './cgroup-files.ts'
import type { BlkioEntry, CpuStats, HugetlbStats, MemoryStats, Stats } from './stats.ts'

const NS_PER_US = 1000
const UNLIMITED = 2n ** 64n - 1n

export function statsV2(files: CgroupFiles): Stats {
  return {
    cpu: cpu(files),
    // As runc, which reads the flags of a v1 cpuset only.
    cpuset: emptyCpuset,
    memory: memory(files),
    pids: withoutEmpty({ current: files.number('pids', 'pids.current'), limit: files.number('pids', 'pids.max') }),
    blkio: blkio(files),
    hugetlb: hugetlb(files),
    intel_rdt: {},
    network_interfaces: null,
  }
}

const emptyCpuset = {
  cpu_exclusive: 0,
  mem_hardwall: 0,
  mem_exclusive: 0,
  memory_migrate: 0,
  memory_spread_page: 0,
  memory_spread_slab: 0,
  memory_pressure: 0,
  sched_load_balance: 0,
  sched_relax_domain_level: 0,
}

function cpu(files: CgroupFiles): CpuStats {
  const stat = files.table('cpu', 'cpu.stat')
  const nanoseconds = (name: string): number => (stat[name] ?? 0) * NS_PER_US
  return {
    usage: {
      ...withoutEmpty({ total: nanoseconds('usage_usec') }),
      kernel: nanoseconds('system_usec'),
      user: nanoseconds('user_usec'),
    },
    throttling: withoutEmpty({
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledTime: nanoseconds('throttled_usec'),
    }),
  }
}

/** Memory and swap together are the sum of both, as in the fields of config.json. */
function memory(files: CgroupFiles): MemoryStats {
  const raw = files.table('memory', 'memory.stat')
  const limit = (file: string): bigint => {
    const text = files.text('memory', file)
    return text === undefined ? 0n : text === 'max' ? UNLIMITED : BigInt(text)
  }
  const [usage, swap] = ['memory.current', 'memory.swap.current'].map((file) => files.number('memory', file)) as [
    number,
    number,
  ]
  const [memoryLimit, swapLimit] = [limit('memory.max'), limit('memory.swap.max')]
  const unlimited = memoryLimit === UNLIMITED || swapLimit === UNLIMITED
  const events = files.table('memory', 'memory.events')
  return {
    ...withoutEmpty({ cache: raw.file ?? 0 }),
    usage: {
      limit: memoryLimit,
      ...withoutEmpty({ usage, max: files.number('memory', 'memory.peak') }),
      failcnt: events.max ?? 0,
    },
    swap: {
      limit: unlimited ? UNLIMITED : memoryLimit + swapLimit,
      ...withoutEmpty({ usage: usage + swap }),
      failcnt: files.table('memory', 'memory.swap.events').fail ?? 0,
    },
    kernel: { limit: 0, failcnt: 0 },
    kernelTCP: { limit: 0, failcnt: 0 },
    raw,
  }
}

/** io.stat: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`. */
function blkio(files: CgroupFiles): Readonly<Record<string, readonly BlkioEntry[]>> {
  const lines = (files.text('io', 'io.stat') ?? '').split('\n').filter((line) => /^\d+:\d+ \w/.test(line))
  const pick = (keys: Readonly<Record<string, string>>): BlkioEntry[] =>
    lines.flatMap((line) => {
      const [device = '', ...pairs] = line.split(' ')
      const [major, minor] = device.split(':').map(Number)
      const values = Object.fromEntries(pairs.map((pair) => pair.split('=')))
      return Object.entries(keys).map(([key, op]) =>
        withoutEmpty({ major: major ?? 0, minor: minor ?? 0, op, value: Number(values[key] ?? 0) }),
      )
    })
  return withoutEmpty({
    ioServiceBytesRecursive: pick({ rbytes: 'Read', wbytes: 'Write', dbytes: 'Discard' }),
    ioServicedRecursive: pick({ rios: 'Read', wios: 'Write', dios: 'Discard' }),
  })
}

function hugetlb(files: CgroupFiles): Record<string, HugetlbStats> {
  const sizes = files.names('hugetlb').flatMap((name) => /^hugetlb\.(\d+[KMG]B)\.max$/.exec(name)?.[1] ?? [])
  return Object.fromEntries(
    sizes.map((size) => [
      size,
      {
        ...withoutEmpty({ usage: files.number('hugetlb', `hugetlb.${size}.current`) }),
        failcnt: files.table('hugetlb', `hugetlb.${size}.events`).max ?? 0,
      },
    ]),
  )
}
