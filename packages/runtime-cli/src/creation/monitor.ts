/**
 * The monitor's process: launched as soon as its fds are open, so that liblxc makes the namespaces while create compiles
 * init's plan; ended or kept when init is parked.
 */

import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { log } from '@crio-lxc/core/host/log/logger'
import { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import { childrenOf, readProcStat } from '@crio-lxc/core/host/process/proc'
import { compile } from '@crio-lxc/core/plan/compile'
import { forksIntoCgroup, type OpenCgroup } from '@crio-lxc/core/plan/join-cgroup'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { close, type Fd, write, writeAll } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { readText } from '@crio-lxc/core/sys/files'
import { fillSealed } from '@crio-lxc/core/sys/memfd'
import type { MonitorFiles } from './monitor-files.ts'
import type { MonitorPlans } from './plan/plan-monitor.ts'

/** Of liblxc's log; at the level trace a container that fails has hundreds. */
const MOST_KEPT_LINES = 1000

export interface LaunchOptions {
  /** Path of crio-lxc-init. */
  readonly executor: string
  /** The container's; closed once the monitor has it. */
  readonly cgroup: OpenCgroup & { readonly fds: readonly Fd[] }
  /** What init needs of the host, under the same numbers. */
  readonly inherited: readonly number[]
  readonly plans: MonitorPlans
}

export class Monitor {
  /** The process that has the plans, which goes on as the monitor. */
  readonly process: ExecutorProcess
  /** What the monitor and init run before the container's plan. */
  readonly plans: readonly Plan[]
  readonly #files: MonitorFiles
  readonly #fds: FdScope
  #reaped = false

  /** Closes those of `files`, which are of `fds`, that only the monitor may hold. Throws RuntimeError. */
  static launch(files: MonitorFiles, { executor, cgroup, inherited, plans }: LaunchOptions, fds: FdScope): Monitor {
    const { config, log, fifoDirectory, report, reportRead, go, wait, plan } = files
    fillSealed(wait, compile(plans.wait, report))
    writeAll(config, plans.lxcConfig)
    const task = {
      plan: plans.launch,
      fds: [...inherited, ...cgroup.fds, plan, config, log, fifoDirectory, go, wait],
    }
    const pipe = { report: reportRead, reportWrite: report }
    const process = ExecutorProcess.launchInto({ executor, forks: forksIntoCgroup(cgroup) }, task, pipe)
    // Only the child may hold these: end of file is how either side learns that the other is gone.
    for (const fd of [...cgroup.fds, go, wait]) close(fds.release(fd))
    return new Monitor(process, plans, files, fds)
  }

  private constructor(process: ExecutorProcess, plans: MonitorPlans, files: MonitorFiles, fds: FdScope) {
    this.process = process
    this.plans = [plans.launch, plans.wait]
    this.#files = files
    this.#fds = fds
  }

  get pid(): number {
    return this.process.pid
  }

  /** Lets init run its plan. */
  go(plan: Plan): void {
    const { plan: file, report, goWrite } = this.#files
    fillSealed(file, compile(plan, report))
    try {
      write(goWrite, 'g')
    } catch (error) {
      // Nobody is left to read it: what happened stands in the report.
      if (codeOf(error) !== 'EPIPE') throw error
    }
    this.#close(goWrite)
    this.#close(report)
  }

  /** Init's pid on the host: the only child of the monitor. */
  initPid(): number {
    const [child, ...others] = this.#children()
    if (child !== undefined && others.length === 0) return child
    throw new RuntimeError(
      'create-failed',
      `find init among the children of the monitor, pid ${this.pid}: ${child === undefined ? 'the monitor was killed' : 'it has several'}`,
    )
  }

  #children(): number[] {
    return childrenOf(`${this.pid}/task/${this.pid}`)
  }

  /**
   * The monitor and its child each have both ends of the socket between them, and so one of them waits for ever when the
   * other is killed: the error when that is so.
   */
  death(): RuntimeError | undefined {
    if (this.process.hasEnded())
      return new RuntimeError('liblxc', 'the monitor was killed before the container was ready')
    const children = this.#children()
    if (children.length === 0 || children.some((pid) => readProcStat(pid)?.state !== 'Z')) return undefined
    return new RuntimeError('liblxc', "the container's first process was killed before it was ready")
  }

  /** SIGKILL, so that liblxc's own clean-up, which would end init, does not run. */
  kill(): void {
    this.process.signal(SIGKILL)
  }

  /** Kills it and waits until it is gone; init's parent is then the caller. */
  end(): void {
    if (this.#reaped) return
    this.process.end()
    this.#reaped = true
  }

  /** The last error lines of liblxc's log as one phrase; empty when it has none. */
  lastErrors(): string {
    let text: string
    try {
      text = readText(this.#files.logPath)
    } catch (error) {
      return messageOf(error)
    }
    const errors = text.split('\n').filter((line) => / ERROR /.test(line))
    return errors
      .slice(-3)
      .map((line) => line.replace(/^\S+ \S+ \S+ ERROR\s+\S+ - \S+:(\w+):\d+ - /, '$1: '))
      .join('; ')
  }

  /** The end of liblxc's log into ours, when create has failed and its file is removed. */
  keepLog(): void {
    const lines = readText(this.#files.logPath).split('\n').filter(Boolean)
    for (const line of lines.slice(-MOST_KEPT_LINES)) log.info(line, { c: 'liblxc' })
  }

  #close(fd: Fd): void {
    close(this.#fds.release(fd))
  }
}
