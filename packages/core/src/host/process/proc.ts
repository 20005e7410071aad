/** What /proc says about a process; proc_pid_stat(5). */

import { codeOf } from '../../errors/system-error.ts'
import { readDirectory, readText, stat } from '../../sys/files.ts'
import { readLineIfThere } from '../../sys/if-there.ts'

export interface ProcStat {
  /** One letter: R, S, D, Z, X and so on. */
  readonly state: string
  readonly parent: number
  /** Threads that have not been reaped, the first one included. */
  readonly threads: number
  /** PF_* of the kernel. */
  readonly flags: number
  /** Clock ticks since boot: with the pid it names one process for ever. */
  readonly startTime: number
}

/** undefined when there is no such process. Throws when that cannot be told: for want of descriptors nobody is dead. */
export function readProcStat(pid: number): ProcStat | undefined {
  return readStat(`/proc/${pid}/stat`)
}

function readStat(file: string): ProcStat | undefined {
  try {
    const text = readLineIfThere(file)
    return text === undefined ? undefined : parseProcStat(text)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** ESRCH: it was reaped between open and read. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '')
}

/** The name stands in parentheses and may contain anything, so the fields are counted from the last one; half of them are read. */
export function parseProcStat(text: string): ProcStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ', 20)
  return {
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    threads: Number(fields[17]),
    flags: Number(fields[6]),
    startTime: Number(fields[19]),
  }
}

/** The pid of the process that the thread `tid` belongs to; undefined when there is no such thread. */
export function threadGroup(tid: number): number | undefined {
  try {
    const [, pid] = /^Tgid:\t(\d+)$/m.exec(readText(`/proc/${tid}/status`)) ?? []
    return pid === undefined ? undefined : Number(pid)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** PF_FORKNOEXEC of the kernel: forked, and nothing has been executed since. */
const FORK_NO_EXEC = 0x40

/** PF_EXITING of the kernel. */
const EXITING = 0x4

/** Whether nothing of the process will run any more: it has ended, or has only to wait for those of its pid namespace to end. */
export function isEnding({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readProcStat(pid)
  if (stat === undefined || stat.startTime !== startTime) return true
  return hasEnded(stat) || ((stat.flags & EXITING) !== 0 && stat.threads <= 1)
}

/** Whether a child, which may be a zombie, has executed a program since it was forked. */
export function hasExecuted(pid: number): boolean {
  return ((readProcStat(pid)?.flags ?? FORK_NO_EXEC) & FORK_NO_EXEC) === 0
}

/** The children of this thread, also those that have ended and are not reaped; proc_tid_children(5). */
export function ownChildren(): number[] {
  return childrenOf('thread-self')
}

/** The same of another thread below /proc, `PID/task/TID`. */
export function childrenOf(thread: string): number[] {
  return readText(`/proc/${thread}/children`).split(' ').filter(Boolean).map(Number)
}

/** A process by pid and start time, as container.json stores it: a pid alone may have been given away again. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTime: number
}

export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProcStat(pid)
  return stat && { pid, startTime: stat.startTime }
}

/** The same process, and it has not ended. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readProcStat(pid)
  return stat !== undefined && stat.startTime === startTime && !hasEnded(stat)
}

/**
 * Nothing of the process runs any more. One whose first thread has called pthread_exit(3) is shown as a zombie, too, as
 * long as the others go on.
 */
export function hasEnded({ state, threads }: ProcStat): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1)
}

/**
 * A thread of the process that still runs: the first one, whose number is the pid, or any once that has exited and left
 * neither root, nor executable, nor namespaces. The pid as well when there is none.
 */
export function runningThread(pid: number): number {
  if (readProcStat(pid)?.state !== 'Z') return pid
  const running = readDirectory(`/proc/${pid}/task`).find((thread) => {
    const state = readStat(`/proc/${pid}/task/${thread}/stat`)?.state
    return state !== undefined && state !== 'Z' && state !== 'X'
  })
  return running === undefined ? pid : Number(running)
}

/** Device and inode of the program a process runs, "dev:ino"; undefined when it cannot be told. */
export function executableIdentity(pid: number): string | undefined {
  return fileIdentity(`/proc/${pid}/exe`)
}

export function fileIdentity(path: string): string | undefined {
  try {
    const { dev, ino } = stat(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** The bounding set of this process, a mask by capability number: what a program of it can have at most. */
export function boundingSet(): bigint {
  return capabilitySet('CapBnd')
}

/** What this process may do now. */
export function effectiveCapabilities(): bigint {
  return capabilitySet('CapEff')
}

/** proc_pid_status(5) */
function capabilitySet(field: 'CapBnd' | 'CapEff'): bigint {
  const [, hex] = new RegExp(`^${field}:\\t([0-9a-f]+)$`, 'm').exec(readText('/proc/self/status')) ?? []
  return BigInt(`0x${hex ?? '0'}`)
}

/** All that the kernel has: a process that makes or joins a user namespace gets them there (user_namespaces(7)). */
export function everyCapability(): bigint {
  const last = readText('/proc/sys/kernel/cap_last_cap')
  return (2n << BigInt(Number(last))) - 1n
}
