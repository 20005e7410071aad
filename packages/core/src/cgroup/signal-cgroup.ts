/** Signals to everything in a cgroup, so that no process escapes by forking meanwhile. */
import { SIGKILL } from '../abi/constants.ts'
import { codeOf } from '../errors/system-error.ts'
import { signalProcess } from '../process/pidfd.ts'
import { identify } from '../process/proc.ts'
import { listProcesses, writeExisting } from './cgroupfs.ts'
import { freeze, isFrozen, thaw } from './freezer.ts'
import { type CgroupLayout, membershipHierarchy } from './plan/cgroup-layout.ts'

export interface SignalOptions {
  /** How long the processes may take to stand still. */
  readonly timeoutMs: number
}

/** Sends `signal` to every process of the cgroup and below. Returns how many there were. */
export function signalCgroup(layout: CgroupLayout, path: string, signal: number, options: SignalOptions): number {
  const count = listProcesses(layout, path).length
  if (count === 0) return 0
  if (signal === SIGKILL) {
    killCgroup(layout, path, options)
    return count
  }
  const wasFrozen = isFrozen(path)
  if (!wasFrozen) freeze(layout, path, options.timeoutMs)
  try {
    return signalEach(layout, path, signal)
  } finally {
    if (!wasFrozen) thaw(layout, path)
  }
}

/** What is frozen dies too. Returns at once: a process leaves its cgroup somewhat later. */
function killCgroup(layout: CgroupLayout, path: string, { timeoutMs }: SignalOptions): void {
  if (!writeCgroupKill(layout, path)) {
    try {
      freeze(layout, path, timeoutMs)
    } catch {
      // What cannot be stopped now can be killed all the same, and the caller looks again.
    }
    signalEach(layout, path, SIGKILL)
  }
  // A v1 freezer holds even the dying.
  if (isFrozen(path)) thaw(layout, path)
}

/** cgroup-v2.rst, "cgroup.kill": reaches what is being forked as well. False before Linux 5.14 and without cgroup v2. */
function writeCgroupKill(layout: CgroupLayout, path: string): boolean {
  const hierarchy = membershipHierarchy(layout)
  if (hierarchy?.version !== 2) return false
  try {
    writeExisting(`${hierarchy.mountPoint}${path}/cgroup.kill`, '1')
    return true
  } catch (error) {
    // EOPNOTSUPP: a threaded cgroup.
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

function signalEach(layout: CgroupLayout, path: string, signal: number): number {
  const pids = listProcesses(layout, path)
  for (const pid of pids) {
    const identity = identify(pid)
    if (identity) signalProcess(identity, signal)
  }
  return pids.length
}
