/**
 * crio-lxc-init as a process of this one's that may go on as its child, in a cgroup or a pid namespace. Whoever can trace it
 * there writes what it likes in its name: a record says when to look, and the kernel's list of children who it is.
 */

import { SIGKILL } from '../abi/constants.ts'
import { type ExecutorOptions, spawnExecutor } from '../sys/executor.ts'
import { close, poll } from '../sys/fd.ts'
import { pidfdOpen } from '../sys/process.ts'
import { kill } from '../sys/program.ts'
import { reap, wait } from '../sys/spawn.ts'
import { signalPidfd } from './pidfd.ts'
import { unknownRecord } from './plan-record.ts'
import { executableIdentity, fileIdentity, ownChildren, readProcStat } from './proc.ts'

/** A child that is frozen in v1, or waits for a device, dies later. */
const DEATH_MS = 5000

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

export interface ExecutorProcessOptions extends ExecutorOptions {
  /** How often the plan lets the process go on as its child. */
  readonly forks: number
}

export class ExecutorProcess {
  #pid: number
  #forks: number
  readonly #path: string
  /** Children that this process had before. */
  readonly #others: ReadonlySet<number>
  /** What has forked, and ends. */
  readonly #forked = new Set<number>()

  constructor({ forks, ...options }: ExecutorProcessOptions) {
    this.#forks = forks
    this.#path = options.path
    this.#others = new Set(ownChildren())
    this.#pid = spawnExecutor(options)
  }

  /** Keeps its meaning until the process is reaped here. */
  get pid(): number {
    return this.#pid
  }

  /** It is the process that the plan is for: all forks are behind it. */
  get hasArrived(): boolean {
    return this.#forks === 0
  }

  /** A record says that it goes on as `pid`. Throws RuntimeError when the plan has no such fork, or this process no such child. */
  follow(pid: number, what: string): void {
    if (this.#forks === 0 || !this.#newChildren().includes(pid)) throw unknownRecord(what)
    this.#forks--
    this.#forked.add(this.#pid)
    this.#pid = pid
  }

  /** Whether nothing is left that could report any more. */
  hasEnded(): boolean {
    // A process that has forked ends at once, and its child may take its time to say so.
    return readProcStat(this.#pid)?.state === 'Z' && (this.hasArrived || this.#unreported().length === 0)
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
    for (let pids = [...this.#forked, this.#pid]; pids.length > 0; pids = this.hasArrived ? [] : this.#unreported()) {
      pids.forEach(endChild)
      for (const pid of pids) this.#forked.add(pid)
    }
  }

  #newChildren(): number[] {
    return ownChildren().filter((pid) => pid !== this.#pid && !this.#forked.has(pid) && !this.#others.has(pid))
  }

  /** Not every new child: who is a subreaper gets orphans at any time. */
  #unreported(): number[] {
    const executor = fileIdentity(this.#path)
    return this.#newChildren().filter((pid) => executableIdentity(pid) === executor)
  }
}
