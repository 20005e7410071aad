/** top: what every container uses, for people. */

import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { readStats } from '@crio-lxc/core/host/cgroup/read-stats'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import type { Status } from '@crio-lxc/core/oci/state'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import { type Container, loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'
import { listEach } from './list.ts'

/** One container at one moment; without what nobody can know of one that is damaged or has no cgroup. */
export interface Usage {
  readonly id: string
  readonly status: Status | 'damaged'
  /** When it was looked at, milliseconds of a steady clock. */
  readonly atMs: number
  /** CPU time since it was made, nanoseconds. */
  readonly cpuNs?: number
  /** Bytes. */
  readonly memory?: number
  readonly memoryLimit?: number
  /** Processes and threads. */
  readonly pids?: number
  /** 0: none. */
  readonly pidsLimit?: number
}

/** Of every container that has processes, and of what is damaged, by id: a warning would stand in the middle of the screen. */
export function readUsages(settings: Settings): Usage[] {
  const find = (id: string): Container | string => loadContainer(settings, id)
  return listEach(settings, find, (id) => [id]).flatMap((found) => {
    if (typeof found === 'string') return [{ id: found, status: 'damaged', atMs: monotonicMs() }]
    return found.status === 'stopped' || found.status === 'creating' ? [] : [usageOf(found)]
  })
}

function usageOf(container: Container): Usage {
  const { status, facts } = container
  const { containerId: id, cgroupDir } = facts
  if (!ownsCgroup(container)) return { id, status, atMs: monotonicMs() }
  const { cpu, memory, pids } = readStats(cgroupLayout(), cgroupDir)
  return {
    id,
    status,
    atMs: monotonicMs(),
    cpuNs: cpu.usage.total ?? 0,
    memory: memory.usage.usage ?? 0,
    memoryLimit: Number(memory.usage.limit),
    pids: pids.current ?? 0,
    pidsLimit: pids.limit ?? 0,
  }
}

/** What the rows are sorted by: the largest first, or the names from a to z. */
export const orders = ['name', 'cpu', 'memory', 'pids'] as const
export type Order = (typeof orders)[number]

/** The key that chooses an order: its first letter, in either case. */
export function orderOfKey(text: string): Order | undefined {
  const key = text.toLowerCase()
  return orders.findLast((order) => key.includes(order.slice(0, 1)))
}

/**
 * The cells of the table, header first; CPU is what was used since `before`, 100% being one CPU. The header names the order
 * that was chosen. PURE.
 */
export function topRows(usages: readonly Usage[], before: readonly Usage[], order: Order = 'name'): string[][] {
  const measured = usages.map((usage) => ({ usage, cpu: cpuOf(usage, before) }))
  const weight: Readonly<Record<Order, (row: (typeof measured)[number]) => number>> = {
    name: () => 0,
    cpu: ({ cpu = -1 }) => cpu,
    memory: ({ usage: { memory = -1 } }) => memory,
    pids: ({ usage: { pids = -1 } }) => pids,
  }
  // Those that are equal stay in the order of their ids.
  const sorted = measured.toSorted((a, b) => weight[order](b) - weight[order](a))
  const title = (name: string, by: Order): string => (by === order && order !== 'name' ? `${name} *` : name)
  return [
    ['ID', 'STATUS', title('CPU', 'cpu'), title('MEMORY', 'memory'), title('PIDS', 'pids')],
    ...sorted.map(({ usage, cpu }) => row(usage, cpu)),
  ]
}

function row({ id, status, memory, memoryLimit = 0, pids, pidsLimit }: Usage, cpu: number | undefined): string[] {
  const limit = isLimit(memoryLimit) ? bytes(memoryLimit) : '-'
  return [
    id,
    status,
    cpu === undefined ? '-' : `${cpu.toFixed(1)}%`,
    memory === undefined ? '-' : `${bytes(memory)} / ${limit}`,
    pids === undefined ? '-' : `${pids} / ${pidsLimit || '-'}`,
  ]
}

/** Percent; undefined when it is not known yet. */
function cpuOf(now: Usage, before: readonly Usage[]): number | undefined {
  const earlier = before.find(({ id }) => id === now.id)
  if (earlier?.cpuNs === undefined || now.cpuNs === undefined) return undefined
  const ms = (now.cpuNs - earlier.cpuNs) / 1e6
  // Less than nothing was used by a container that has taken the id of another.
  return ms < 0 ? undefined : (100 * ms) / (now.atMs - earlier.atMs)
}

/** What `table` puts between columns, and how wide it makes them at least. */
const [GAP, LEAST] = [3, 12]
const SHORTEST_ID = 8

/** The rows with ids that are cut where the table would be wider than the screen: the engines' have 64 digits. PURE. */
export function withShortIds(rows: readonly (readonly string[])[], width: number): string[][] {
  const others = (rows[0] ?? []).slice(1).map((_, at) => Math.max(...rows.map((cells) => (cells[at + 1] ?? '').length)))
  const last = others.at(-1) ?? 0
  const taken = others.slice(0, -1).reduce((sum, length) => sum + Math.max(LEAST, length + GAP), last)
  const room = Math.max(SHORTEST_ID, width - 1 - taken - GAP)
  return rows.map(([id = '', ...cells]) => [id.length > room ? `${id.slice(0, room - 1)}~` : id, ...cells])
}

/** v1 has a large number for no limit. */
function isLimit(value: number): boolean {
  return value > 0 && value < 2 ** 62
}

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), units.length - 1)
  return `${power === 0 ? count : (count / 1024 ** power).toFixed(1)} ${units[power]}`
}
