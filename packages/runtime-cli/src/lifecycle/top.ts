/** top: what every container uses, for people. */

import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { readStats } from '@crio-lxc/core/cgroup/read-stats'
import { ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import type { Status } from '@crio-lxc/core/oci/state'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import { loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'
import { list } from './list.ts'

/** One container at one moment. */
export interface Usage {
  readonly id: string
  readonly status: Status
  /** CPU time since it was made, nanoseconds. */
  readonly cpuNs: number
  /** When that was read, milliseconds of a steady clock. */
  readonly atMs: number
  /** Bytes. */
  readonly memory: number
  readonly memoryLimit: number
  /** Processes and threads. */
  readonly pids: number
  /** 0: none. */
  readonly pidsLimit: number
}

/** Of every container that has processes, by id. */
export function readUsages(settings: Settings): Usage[] {
  return list(settings).flatMap(({ id, status }) => {
    if (status === 'stopped' || status === 'creating') return []
    try {
      const { facts } = loadContainer(settings, id)
      const { cpu, memory, pids } = readStats(cgroupLayout(), facts.cgroupDir)
      return [
        {
          id,
          status,
          cpuNs: cpu.usage.total ?? 0,
          atMs: monotonicMs(),
          memory: memory.usage.usage ?? 0,
          memoryLimit: Number(memory.usage.limit),
          pids: pids.current ?? 0,
          pidsLimit: pids.limit ?? 0,
        },
      ]
    } catch (error) {
      // Deleted meanwhile.
      if (error instanceof ErrNotExist) return []
      throw error
    }
  })
}

/** The cells of the table, header first; CPU is what was used since `before`, 100% being one CPU. PURE. */
export function topRows(usages: readonly Usage[], before: readonly Usage[]): string[][] {
  const rows = usages.map((usage) => {
    const { id, status, memory, memoryLimit, pids, pidsLimit } = usage
    const earlier = before.find((other) => other.id === id)
    const limit = isLimit(memoryLimit) ? bytes(memoryLimit) : '-'
    return [
      id,
      status,
      earlier ? cpuPercent(usage, earlier) : '-',
      `${bytes(memory)} / ${limit}`,
      `${pids} / ${pidsLimit || '-'}`,
    ]
  })
  return [['ID', 'STATUS', 'CPU', 'MEMORY', 'PIDS'], ...rows]
}

function cpuPercent(now: Usage, before: Usage): string {
  const ms = (now.cpuNs - before.cpuNs) / 1e6
  // Less than nothing was used by a container that has taken the id of another.
  return ms < 0 ? '-' : `${((100 * ms) / (now.atMs - before.atMs)).toFixed(1)}%`
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
