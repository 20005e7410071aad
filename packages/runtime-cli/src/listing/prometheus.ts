/** Prometheus' text exposition format, version 0.0.4. PURE. */

import { UNPRINTABLE } from '@crio-lxc/core/errors/printable'
import type { Stats } from '@crio-lxc/core/host/cgroup/stats/stats'
import type { State } from '@crio-lxc/core/oci/state'
import { engineName } from './engine-names.ts'

/** One container; without statistics when it has no process, or no cgroup of its own. */
export interface Measured {
  readonly state: State
  readonly stats: Stats | undefined
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number | bigint | undefined
}

interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: (stats: Stats) => readonly Sample[]
}

const seconds = (nanoseconds: number | undefined): number => (nanoseconds ?? 0) / 1e9
const one = (value: number | bigint | undefined): readonly Sample[] => [{ value }]
/** Both versions have a large number, or none, where there is no limit: such a sample is left out. */
const limit = (value: number | bigint | undefined): readonly Sample[] =>
  value !== undefined && Number(value) > 0 && Number(value) < 2 ** 62 ? [{ value }] : []

const metrics: readonly Metric[] = [
  counter('cpu_usage_seconds_total', 'CPU time used.', ({ cpu }) => one(seconds(cpu.usage.total))),
  counter('cpu_user_seconds_total', 'CPU time used by programs.', ({ cpu }) => one(seconds(cpu.usage.user))),
  counter('cpu_system_seconds_total', 'CPU time used by the kernel.', ({ cpu }) => one(seconds(cpu.usage.kernel))),
  counter('cpu_periods_total', 'Periods of the CPU quota.', ({ cpu }) => one(cpu.throttling.periods ?? 0)),
  counter('cpu_throttled_periods_total', 'Periods in which the quota was used up.', ({ cpu }) =>
    one(cpu.throttling.throttledPeriods ?? 0),
  ),
  counter('cpu_throttled_seconds_total', 'Time without CPU for want of quota.', ({ cpu }) =>
    one(seconds(cpu.throttling.throttledTime)),
  ),
  gauge('memory_usage_bytes', 'Memory in use, page cache included.', ({ memory }) => one(memory.usage.usage ?? 0)),
  gauge('memory_cache_bytes', 'Page cache.', ({ memory }) => one(memory.cache ?? 0)),
  gauge('memory_limit_bytes', 'Most memory; absent without a limit.', ({ memory }) => limit(memory.usage.limit)),
  counter('memory_failures_total', 'How often memory was at its limit.', ({ memory }) => one(memory.usage.failcnt)),
  gauge('pids', 'Processes and threads.', ({ pids }) => one(pids.current ?? 0)),
  gauge('pids_limit', 'Most processes and threads; absent without a limit.', ({ pids }) => limit(pids.limit)),
  counter('block_io_bytes_total', 'Bytes of block devices.', ({ blkio }) =>
    blockSamples(blkio, 'ioServiceBytesRecursive'),
  ),
  counter('block_io_operations_total', 'Operations on block devices.', ({ blkio }) =>
    blockSamples(blkio, 'ioServicedRecursive'),
  ),
  gauge('hugetlb_usage_bytes', 'Huge pages in use.', ({ hugetlb }) =>
    Object.entries(hugetlb).map(([pagesize, { usage = 0 }]) => ({ labels: { pagesize }, value: usage })),
  ),
]

function counter(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, type: 'gauge', help, samples }
}

/** The others of v1 are sums of these. */
const operations = new Set(['Read', 'Write', 'Discard'])

function blockSamples(blkio: Stats['blkio'], kind: string): Sample[] {
  return (blkio[kind] ?? [])
    .filter(({ op = '' }) => operations.has(op))
    .map(({ major = 0, minor = 0, op = '', value = 0 }) => ({
      labels: { device: `${major}:${minor}`, operation: op.toLowerCase() },
      value,
    }))
}

/** All samples of a metric stand together, as the format demands. */
export function prometheusText(measured: readonly Measured[]): string {
  const info = measured.map(({ state }) => line('info', { ...labelsOf(state), status: state.status }, 1))
  const blocks = metrics.map(({ name, type, help, samples }) => {
    const lines = measured.flatMap(({ state, stats }) =>
      (stats === undefined ? [] : samples(stats)).flatMap(({ labels, value }) =>
        value === undefined ? [] : [line(name, { id: state.id, ...labels }, value)],
      ),
    )
    return lines.length === 0 ? '' : head(name, type, help) + lines.join('')
  })
  return head('info', 'gauge', 'What a container is; always 1.') + info.join('') + blocks.join('')
}

const PREFIX = 'crio_lxc_container_'

function head(name: string, type: Metric['type'], help: string): string {
  return `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n`
}

function labelsOf(state: State): Record<string, string> {
  const labels = (['namespace', 'pod', 'name', 'image'] as const).map(
    (what) => [what, engineName(state, what)] as const,
  )
  return { id: state.id, ...Object.fromEntries(labels.filter(([, value]) => value !== undefined)) }
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number | bigint): string {
  const words = Object.entries(labels).map(([label, text]) => `${label}="${quoted(text)}"`)
  return `${PREFIX}${name}{${words.join(',')}} ${value}\n`
}

/** The format knows three escapes, and none for what steers a terminal. */
function quoted(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replace(new RegExp(UNPRINTABLE, 'gu'), '\ufffd')
}
