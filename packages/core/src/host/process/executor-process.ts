/**
 * crio-lxc-init with a plan, as a process of this one's that may go on as its child, in a cgroup or a pid namespace. Whoever can
 * trace it there writes what it likes in its name: a record says when to look, and the kernel's list of children who it is.
 */

import { SIGKILL } from '../../abi/constants.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { compile } from '../../plan/compile.ts'
import type { Fork } from '../../plan/join-cgroup.ts'
import type { Plan } from '../../plan/plan.ts'
import { type PlanRecord, unknownRecord } from '../../plan/record.ts'
import { spawnExecutor } from '../../sys/executor.ts'
import { close, type Fd, pipe, poll, read } from '../../sys/fd.ts'
import { sealedFile } from '../../sys/memfd.ts'
import { getsOrphans, pidfdOpen } from '../../sys/process.ts'
import { kill, monotonicMs } from '../../sys/program.ts'
import { reap, wait } from '../../sys/spawn.ts'
import { cleanUp } from '../log/clean-up.ts'
import { signalPidfd } from './pidfd.ts'
import { executableIdentity, fileIdentity, ownChildren, readProcStat } from './proc.ts'
import { readRecord } from './read-record.ts'

/** Of the records that are looked through at the end: more than a plan reports, and no more than that of one who floods the pipe. */
const MOST_UNREAD = 64

export interface LaunchOptions {
  /** Path of crio-lxc-init. */
  readonly executor: string
  /** Those of the plan, in their order; default: none. */
  readonly forks?: readonly Fork[]
}

export interface Task {
  readonly plan: Plan
  /** Descriptors that the process inherits under the same numbers, beside that of its report. */
  readonly fds: readonly number[]
}

/** The two ends of the pipe to which a process reports. */
export interface ReportPipe {
  readonly report: Fd
  readonly reportWrite: Fd
}

export interface RecordOptions {
  /** Until the next record; undefined: wait for ever. */
  readonly timeoutMs: number | undefined
  /** When the time of all records began, on the clock of monotonicMs(); default: each has its own. */
  readonly from?: number
  /** What is waited for, in the words of the error. */
  readonly what: string
  /** Called now and then while nothing comes: the error when nothing can come any more. */
  readonly watch?: () => RuntimeError | undefined
}

const WATCH_MS = 500
/** A child that is frozen in v1, or waits for a device, dies later. */
const DEATH_MS = 5000

export class ExecutorProcess {
  readonly plan: Plan
  readonly #path: string
  /** Read end of the pipe to which it reports. */
  readonly #report: Fd
  #isOpen = true
  #pid: number
  /** Those that are still to come. */
  #forks: readonly Fork[]
  /** Children that this process had before. */
  readonly #others: readonly number[]
  /** The pid of the last record, which the kernel may not have been asked about for want of memory. */
  #told: number | undefined
  /** What has forked, and ends. */
  readonly #forked = new Set<number>()

  /** `prepare` makes the plan of a process that reports to the fd it is given. Throws RuntimeError. */
  static launch(options: LaunchOptions, prepare: (report: number) => Task): ExecutorProcess {
    const [report, reportWrite] = pipe()
    try {
      return ExecutorProcess.launchInto(options, prepare(reportWrite), { report, reportWrite })
    } catch (error) {
      close(report)
      throw error
    } finally {
      // Only the process may hold it: end of file is how its end is seen.
      close(reportWrite)
    }
  }

  /** The same with a pipe of the caller's, who closes both of its ends. */
  static launchInto(options: LaunchOptions, task: Task, pipe: ReportPipe): ExecutorProcess {
    const file = sealedFile('plan', compile(task.plan, pipe.reportWrite))
    try {
      return new ExecutorProcess(options, task, pipe, file)
    } finally {
      close(file)
    }
  }

  private constructor(
    { executor, forks = [] }: LaunchOptions,
    { plan, fds }: Task,
    { report, reportWrite }: ReportPipe,
    file: Fd,
  ) {
    this.plan = plan
    this.#path = executor
    this.#report = report
    this.#forks = forks
    this.#others = forks.length > 0 ? ownChildren() : []
    this.#pid = spawnExecutor({ path: executor, plan: file, fds: [...fds, reportWrite] })
  }

  /** Keeps its meaning until the process is reaped here. */
  get pid(): number {
    return this.#pid
  }

  /** It is the process that the plan is for: all forks are behind it. */
  get hasArrived(): boolean {
    return this.#forks.length === 0
  }

  /**
   * What it reports, up to the end of file; a fork has been followed when its record comes. Throws RuntimeError, `timeout` for
   * one, and for a record that the process cannot have written.
   */
  *records(options: RecordOptions): Generator<PlanRecord, void> {
    for (;;) {
      this.#awaitReport(options)
      const record = readRecord(this.#report, options.what)
      if (!record) return
      if (record.kind === 'stillborn') {
        this.#bury(record.pid, options.what)
        continue
      }
      if (record.kind === 'forked') this.#follow(record.pid, options.what)
      yield record
    }
  }

  /** What came with the record before; false when it did not. */
  readRest(bytes: Uint8Array): boolean {
    return poll([this.#report], 0)[0] !== 0 && read(this.#report, bytes) === bytes.length
  }

  #awaitReport({ timeoutMs, from = monotonicMs(), what, watch }: RecordOptions): void {
    const deadline = timeoutMs === undefined ? undefined : from + timeoutMs
    for (;;) {
      const left = deadline === undefined ? -1 : Math.max(0, Math.ceil(deadline - monotonicMs()))
      const mayWatch = watch !== undefined && (left < 0 || left > WATCH_MS)
      if (poll([this.#report], mayWatch ? WATCH_MS : left)[0]) return
      if (!mayWatch) throw new RuntimeError('timeout', `${what}: it took longer than ${timeoutMs} ms`)
      const death = watch()
      // Whoever has died may have reported before.
      if (death && poll([this.#report], 0)[0] === 0) throw death
    }
  }

  /** A record says that it goes on as `pid`. Throws RuntimeError when the plan has no such fork, or this process no such child. */
  #follow(pid: number, what: string): void {
    if (this.hasArrived) throw unknownRecord(what)
    this.#told = pid
    if (!this.#newChildren().includes(pid)) throw unknownRecord(what)
    this.#forks = this.#forks.slice(1)
    this.#forked.add(this.#pid)
    this.#pid = pid
  }

  /** A record says that this child has been killed at its birth; what is forged ends at most what it was written by. */
  #bury(pid: number, what: string): void {
    if (this.hasArrived || !this.#newChildren().includes(pid)) throw unknownRecord(what)
    endChild(pid)
  }

  /** Whether nothing is left that could report any more, but what is in the pipe. */
  hasEnded(): boolean {
    if (readProcStat(this.#pid)?.state !== 'Z') return false
    // It has ended because it forked, and its child may take its time to say so.
    return this.#forks[0] !== 'told by the child' || this.#unreported().length === 0
  }

  signal(signal: number): void {
    kill(this.#pid, signal)
  }

  /** Reaps what it has forked from, which ends by itself. */
  reapForked(): void {
    for (const pid of this.#forked) wait(pid)
    this.#forked.clear()
  }

  /** Kills and reaps it with whatever it has become, reported or not. */
  end(): void {
    this.#catchUp()
    for (let pids = [...this.#forked, this.#pid]; pids.length > 0; pids = this.hasArrived ? [] : this.#unreported()) {
      pids.forEach(endChild)
      for (const pid of pids) this.#forked.add(pid)
    }
  }

  /** Follows what has been reported and not been read: the process may have executed its program since. */
  #catchUp(): void {
    try {
      for (let left = MOST_UNREAD; left > 0 && this.#isOpen && !this.hasArrived; left--) {
        if (!poll([this.#report], 0)[0]) return
        const record = readRecord(this.#report, 'end the process')
        if (record?.kind === 'stillborn') this.#bury(record.pid, 'end the process')
        else if (record?.kind === 'forked') this.#follow(record.pid, 'end the process')
        else if (!record) return
      }
    } catch {
      // Whatever else is there: nobody asks any more.
    }
  }

  /** It stays when `arrives` returns true, and what it has forked from is reaped; else it is ended with all of that. */
  endUnless(arrives: () => boolean): boolean {
    try {
      const stays = arrives()
      if (stays) this.reapForked()
      else this.end()
      return stays
    } catch (error) {
      cleanUp(error, [() => this.end()])
      throw error
    }
  }

  /** Closes what this process holds of it. */
  close(): void {
    if (this.#isOpen) close(this.#report)
    this.#isOpen = false
  }

  #newChildren(): number[] {
    return ownChildren().filter((pid) => pid !== this.#pid && !this.#forked.has(pid) && !this.#others.includes(pid))
  }

  /**
   * Not every new child of one who gets orphans, which may come at any time. Others have none that this call has not made,
   * whatever they have executed by now.
   */
  #unreported(): number[] {
    if (!getsOrphans()) return this.#newChildren()
    const executor = fileIdentity(this.#path)
    return this.#newChildren().filter((pid) => pid === this.#told || executableIdentity(pid) === executor)
  }
}

/** A pid of a child means nobody else until it is reaped, which is for this process alone to do. */
function endChild(pid: number): void {
  const pidfd = pidfdOpen(pid)
  try {
    signalPidfd(pidfd, SIGKILL)
    if (poll([pidfd], DEATH_MS)[0]) reap(pid)
  } finally {
    close(pidfd)
  }
}
