/** The kernel's word that memory ran out in a cgroup: memory.rst of v1, "OOM Control"; cgroup-v2.rst, memory.events. */
import { decode, Struct } from '../../abi/bytes.ts'
import { close, eventfd, POLLPRI, read } from '../../sys/fd.ts'
import { O_RDONLY, openFile, readFile } from '../../sys/files.ts'
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
  const control = openFile(`${directory}/memory.oom_control`, O_RDONLY)
  const fd = eventfd()
  const closeBoth = (): void => [fd, control].forEach(close)
  try {
    writeExisting(`${directory}/cgroup.event_control`, `${fd} ${control}`)
  } catch (error) {
    closeBoth()
    throw error
  }
  const take = (): number => {
    const counter = new Struct(8)
    read(fd, counter)
    return exists(`${directory}/memory.oom_control`) ? Number(counter.u64(0)) : 0
  }
  return { fd, events: POLLIN, take, close: closeBoth }
}

/** poll(2) tells that memory.events has changed since it was read. */
function watchV2(directory: string): OomWatch {
  const fd = openFile(`${directory}/memory.events`, O_RDONLY)
  const kills = (): number | undefined => {
    const buffer = new Uint8Array(4096)
    try {
      const text = decode(buffer.subarray(0, read(fd, buffer, 0)))
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
  return { fd, events: POLLPRI, take, close: () => close(fd) }
}

function exists(file: string): boolean {
  try {
    readFile(file)
    return true
  } catch {
    return false
  }
}
