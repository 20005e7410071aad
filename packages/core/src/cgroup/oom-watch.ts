/** The kernel's word that memory ran out in a cgroup: memory.rst of v1, "OOM Control"; cgroup-v2.rst, memory.events. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { eventfd } from '../sys/eventfd.ts'
import { POLLPRI } from '../sys/libc.ts'
import { writeExisting } from './cgroupfs.ts'
import type { CgroupLayout } from './plan/cgroup-layout.ts'

const POLLIN = 1

export interface OomWatch {
  /** What poll(2) waits for. */
  readonly fd: number
  readonly events: number
  /** After poll: how often memory ran out since the last call. */
  readonly take: () => number
  readonly close: () => void
}

/** undefined where nothing counts memory. */
export function watchOom({ hierarchies }: CgroupLayout, path: string): OomWatch | undefined {
  const hierarchy = hierarchies.find(({ controllers }) => controllers.includes('memory'))
  if (!hierarchy) return undefined
  const directory = hierarchy.mountPoint + path
  return hierarchy.version === 1 ? watchV1(directory) : watchV2(directory)
}

/** An eventfd that counts, as cgroups.rst section 2.4 has it. It counts the removal of the cgroup too. */
function watchV1(directory: string): OomWatch {
  const control = openSync(`${directory}/memory.oom_control`, 'r')
  const fd = eventfd()
  const close = (): void => [fd, control].forEach(closeSync)
  try {
    writeExisting(`${directory}/cgroup.event_control`, `${fd} ${control}`)
  } catch (error) {
    close()
    throw error
  }
  const take = (): number => {
    const counter = Buffer.alloc(8)
    readSync(fd, counter)
    return exists(`${directory}/memory.oom_control`) ? Number(counter.readBigUInt64LE()) : 0
  }
  return { fd, events: POLLIN, take, close }
}

/** poll(2) tells that memory.events has changed since it was read. */
function watchV2(directory: string): OomWatch {
  const fd = openSync(`${directory}/memory.events`, 'r')
  const kills = (): number | undefined => {
    const buffer = Buffer.alloc(4096)
    try {
      const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0))
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)
    } catch {
      // ENODEV: the cgroup is gone.
      return undefined
    }
  }
  let before = kills() ?? 0
  const take = (): number => {
    const now = kills() ?? before
    const since = now - before
    before = now
    return since
  }
  return { fd, events: POLLPRI, take, close: () => closeSync(fd) }
}

function exists(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}
