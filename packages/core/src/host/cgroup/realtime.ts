/** Time of realtime processes in cgroup v1: sched-rt-group.rst. */
import { readEntries, readText } from '../../sys/files.ts'
import { writeExisting } from './cgroupfs.ts'

/** The parent of containers without linux.cgroupsPath: nobody but the runtime decides about it. */
const OWN_PARENT = '/crio-lxc'

/** How much of `period` microseconds may be spent. */
interface Share {
  readonly runtime: bigint
  readonly period: bigint
}

/**
 * Gives the cgroups above `path` what they lack for its share to be `share`: a new cgroup has none, and no more can be
 * handed down than is there. What somebody has given another cgroup than the runtime's own is a limit, and stays.
 */
export function lendRealtime(mountPoint: string, path: string, share: Partial<Share>): void {
  const [own, ...above] = path.split('/').map((_, index, parts) => parts.slice(0, parts.length - index).join('/'))
  if (own === undefined) return
  const wanted = { ...readShare(mountPoint + own), ...share }
  // Nearest the root first: each gets what the next one is about to have.
  const parents = above.filter((parent) => parent !== '').toReversed()
  for (const parent of parents) {
    const present = readShare(mountPoint + parent)
    const needed =
      inPeriod(wanted, present.period) + spentBelow(mountPoint + parent, `${mountPoint}${path}`, present.period)
    const mayGrow = present.runtime === 0n || parent === OWN_PARENT
    if (present.runtime < needed && mayGrow) writeExisting(`${mountPoint}${parent}/cpu.rt_runtime_us`, String(needed))
  }
}

/** What the children of a cgroup have together, without the one that leads to `path`. */
function spentBelow(directory: string, path: string, period: bigint): bigint {
  const children = readEntries(directory).filter((entry) => entry.directory)
  return children
    .map(({ name }) => `${directory}/${name}`)
    .filter((child) => child !== path && !path.startsWith(`${child}/`))
    .reduce((sum, child) => sum + inPeriod(readShare(child), period), 0n)
}

/** Of another period, rounded up: the kernel compares quotients. */
function inPeriod({ runtime, period }: Share, other: bigint): bigint {
  return runtime <= 0n ? 0n : (runtime * other) / period + 1n
}

function readShare(directory: string): Share {
  const [runtime = 0n, period = 1n] = ['cpu.rt_runtime_us', 'cpu.rt_period_us'].map((file) =>
    BigInt(readText(`${directory}/${file}`).trim()),
  )
  return { runtime, period }
}
