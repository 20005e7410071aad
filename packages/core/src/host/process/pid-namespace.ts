/** The processes of a pid namespace, seen from the host. */
import { readDirectory, readLink, readText } from '../../sys/files.ts'
import { signalProcess } from './pidfd.ts'
import { identify, isAlive, type ProcessIdentity, readProcStat, runningThread } from './proc.ts'

/**
 * Pids on the host of what lives in the pid namespace whose first process is `init`, and in those that were made in it:
 * the first of such a one has its parent there. Empty when init has ended, for then they all have; init alone when it is
 * not the first, for then the others are not its own.
 */
export function processesOfNamespace(init: ProcessIdentity): number[] {
  const parents = new Map<number, number>()
  const found = new Set<number>()
  const own = namespaceOf(init.pid)
  // A zombie still has its namespace.
  if (own === undefined || !isAlive(init)) return []
  if (pidInside(init.pid) !== 1) return [init.pid]
  for (const name of readDirectory('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? readProcStat(pid) : undefined
    if (!stat) continue
    parents.set(pid, stat.parent)
    if (namespaceOf(pid) === own) found.add(pid)
  }
  for (const pid of parents.keys()) {
    const line: number[] = []
    for (let at: number | undefined = pid; at && !line.includes(at); at = parents.get(at)) {
      if (found.has(at)) {
        for (const below of line) found.add(below)
        break
      }
      line.push(at)
    }
  }
  return [...found].sort((left, right) => left - right)
}

/** Sends `signal` to all of them. Returns how many there were. */
export function signalNamespace(init: ProcessIdentity, signal: number): number {
  const pids = processesOfNamespace(init)
  for (const pid of pids) {
    const identity = identify(pid)
    if (identity) signalProcess(identity, signal)
  }
  return pids.length
}

/** The pid in the innermost pid namespace of the process; proc_pid_status(5), NSpid. */
export function pidInside(pid: number): number {
  const pids = /^NSpid:\s+(.*)$/m.exec(readText(`/proc/${pid}/status`))?.[1]?.split(/\s+/)
  return Number(pids?.at(-1) ?? pid)
}

/** undefined when the process is gone. */
function namespaceOf(pid: number): string | undefined {
  try {
    return readLink(`/proc/${runningThread(pid)}/ns/pid`)
  } catch {
    return undefined
  }
}
