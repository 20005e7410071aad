/** Signals to everything in a cgroup, so that no process escapes by forking meanwhile. */

import { SIGKILL } from '../../abi/constants.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf } from '../../errors/system-error.ts'
import { sleep } from '../../sys/fd.ts'
import { fileExists } from '../../sys/files.ts'
import { monotonicMs } from '../../sys/program.ts'
import { isForbidden, signalProcess } from '../process/pidfd.ts'
import { identify } from '../process/proc.ts'
import { findProcesses, listProcesses } from './cgroup-processes.ts'
import { writeExisting } from './cgroupfs.ts'
import { freeze, thaw, thawTree } from './freezer.ts'
import { frozenAbove, isFrozen } from './frozen.ts'
import { type CgroupLayout, membershipHierarchy } from './plan/cgroup-layout.ts'

export interface SignalOptions {
  /** How long the processes may take to stand still. */
  readonly timeoutMs: number
}

/** Sends `signal`, which is not SIGKILL, to every process of the cgroup and below. Returns how many there were. */
export function signalCgroup(layout: CgroupLayout, path: string, signal: number, { timeoutMs }: SignalOptions): number {
  if (listProcesses(layout, path).length === 0) return 0
  const wasFrozen = isFrozen(path)
  try {
    if (!wasFrozen) freeze(layout, path, timeoutMs)
  } catch (error) {
    // All of them have ended meanwhile, and a delete has removed it.
    if (listProcesses(layout, path).length === 0) return 0
    throw error
  }
  try {
    return signalEach(layout, path, signal)
  } finally {
    if (!wasFrozen) thaw(layout, path)
  }
}

/**
 * SIGKILL to every process of the cgroup and below; what is frozen there dies, too. Returns at once, and how many have not
 * left: a process does so somewhat later, and one that can freeze others may have to be killed again.
 */
export function killCgroup(layout: CgroupLayout, path: string, { timeoutMs }: SignalOptions): number {
  const killed = writeCgroupKill(layout, path)
  if (killed === 'gone') return 0
  if (killed === 'unsupported') {
    try {
      freeze(layout, path, timeoutMs)
    } catch {
      // What cannot be stopped now can be killed all the same, and the caller looks again.
    }
  }
  // Also after cgroup.kill: it signals first threads, and does not reach a process of which that one has exited. No security
  // module is asked about what the kernel kills there.
  const left = signalEach(layout, path, SIGKILL, { mayBeForbidden: killed === 'killed' })
  thawTree(layout, path)
  return left
}

export interface EndOptions {
  readonly timeoutMs: number
  /** Asked first, and again whenever the processes may have gone. */
  readonly isDone: () => boolean
}

/**
 * The same until it is done; a process leaves its cgroup when it has exited, which no file announces on v1, hence the short
 * waits. Throws RuntimeError `timeout` after `timeoutMs`, and `cgroup` at once when a frozen cgroup above keeps them.
 */
export function endCgroup(layout: CgroupLayout, path: string, { timeoutMs, isDone }: EndOptions): void {
  const deadline = monotonicMs() + timeoutMs
  for (let pause = 1; !isDone(); pause = Math.min(pause * 2, 20)) {
    const left = killCgroup(layout, path, { timeoutMs })
    const frozen = left > 0 ? keeperOfDying(layout, path) : undefined
    if (frozen !== undefined)
      throw new RuntimeError(
        'cgroup',
        `empty the cgroup ${path}: ${frozen} is frozen, with ${remaining(layout, path)}: thaw it`,
      )
    if (monotonicMs() > deadline)
      throw new RuntimeError(
        'timeout',
        `empty the cgroup ${path}: ${remaining(layout, path)} left after ${timeoutMs} ms`,
      )
    sleep(pause)
  }
}

/** A v1 freezer keeps even what has been killed. */
function keeperOfDying({ mode, hierarchies }: CgroupLayout, path: string): string | undefined {
  return frozenAbove({ mode, hierarchies: hierarchies.filter(({ version }) => version === 1) }, path)
}

const MOST_NAMED = 10

/** `2 processes (pid 17, 23)` */
function remaining(layout: CgroupLayout, path: string): string {
  const { pids } = findProcesses(layout, path)
  const named = [...pids.slice(0, MOST_NAMED), ...(pids.length > MOST_NAMED ? ['...'] : [])]
  const count = `${pids.length} process${pids.length === 1 ? '' : 'es'}`
  return pids.length === 0 ? count : `${count} (pid ${named.join(', ')})`
}

/** cgroup-v2.rst, "cgroup.kill": reaches what is being forked as well. Unsupported before Linux 5.14 and without cgroup v2. */
function writeCgroupKill(layout: CgroupLayout, path: string): 'killed' | 'gone' | 'unsupported' {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return 'unsupported'
  const directory = hierarchy.mountPoint + path
  try {
    if (hierarchy.version === 2) {
      writeExisting(`${directory}/cgroup.kill`, '1')
      return 'killed'
    }
  } catch (error) {
    // EOPNOTSUPP: a threaded cgroup.
    if (!['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'].includes(codeOf(error) ?? '')) throw error
  }
  return fileExists(directory) ? 'unsupported' : 'gone'
}

function signalEach(
  layout: CgroupLayout,
  path: string,
  signal: number,
  { mayBeForbidden }: { readonly mayBeForbidden: boolean } = { mayBeForbidden: false },
): number {
  const { pids } = findProcesses(layout, path)
  for (const pid of pids) {
    const identity = identify(pid)
    try {
      if (identity) signalProcess(identity, signal)
    } catch (error) {
      if (!mayBeForbidden || !isForbidden(error)) throw error
    }
  }
  return pids.length
}
