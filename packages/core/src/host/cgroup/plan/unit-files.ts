/** What systemd writes besides the limit that it was told of, and how that is put back. PURE. */
import type { Property } from '../../../dbus/signature.ts'
import type { CgroupLayout, Hierarchy } from './cgroup-layout.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { type FileTexts, keyOf } from './limit-properties.ts'

/** A file of the unit's cgroup. */
export interface UnitFile {
  readonly hierarchy: Hierarchy
  readonly file: string
}

/**
 * The files that systemd writes whenever one property of a unit changes (cgroup_context_apply()), by version and
 * controller, in an order in which the kernel takes them back.
 */
const files: Readonly<Record<1 | 2, Readonly<Record<string, readonly string[]>>>> = {
  1: {
    cpu: ['cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us'],
    blkio: ['blkio.weight', 'blkio.bfq.weight'],
    memory: ['memory.limit_in_bytes'],
    pids: ['pids.max'],
  },
  2: {
    cpu: ['cpu.idle', 'cpu.weight', 'cpu.max'],
    cpuset: ['cpuset.cpus', 'cpuset.mems'],
    io: ['io.weight', 'io.bfq.weight'],
    memory: [
      ...['memory.min', 'memory.low', 'memory.high', 'memory.max', 'memory.swap.max'],
      ...['memory.zswap.max', 'memory.zswap.writeback', 'memory.oom.group'],
    ],
    pids: ['pids.max'],
  },
}

export function unitFiles({ hierarchies }: CgroupLayout): UnitFile[] {
  return hierarchies.flatMap((hierarchy) =>
    hierarchy.controllers.flatMap((controller) =>
      (files[hierarchy.version][controller] ?? []).map((file) => ({ hierarchy, file })),
    ),
  )
}

/** Files that together say what one property says. */
const groups = [
  ['2 cpu.idle', '2 cpu.weight', '2 cpu.weight.nice'],
  ['2 io.bfq.weight', '2 io.weight'],
  ['1 cpu.cfs_quota_us', '1 cpu.cfs_period_us'],
  ['1 blkio.bfq.weight', '1 blkio.weight'],
]

/** The files that tell systemd what `writes` have changed. */
export function filesToTell(writes: readonly CgroupWrite[]): UnitFile[] {
  const found = new Map<string, UnitFile>()
  for (const write of writes) {
    const { hierarchy } = write
    const group = groups.find((keys) => keys.includes(keyOf(write))) ?? [keyOf(write)]
    for (const key of group) found.set(key, { hierarchy, file: key.slice('2 '.length) })
  }
  return [...found.values()]
}

/** A call to systemd: what the files said before and after, and what it was told. */
export interface ToldUnit {
  readonly before: FileTexts
  readonly after: FileTexts
  readonly told: readonly Property[]
}

/** The writes that take the files back to what they said, but for what the properties told of. */
export function planRestore(layout: CgroupLayout, { before, after, told }: ToldUnit): CgroupWrite[] {
  return unitFiles(layout).flatMap((target) => {
    const key = keyOf(target)
    const text = before.get(key)
    if (text === undefined || text === after.get(key)) return []
    // An idle cgroup takes no weight.
    if (key === '2 cpu.weight' && before.get('2 cpu.idle') === '1') return []
    // It is the weight of bfq, where there is bfq, that was told of, and systemd derives this one from it.
    if (key === '2 io.weight' && before.has('2 io.bfq.weight') && told.some(([name]) => name.startsWith('IO')))
      return []
    return text.split('\n').map((value) => ({ ...target, value, field: 'restore what systemd has reset' }))
  })
}
