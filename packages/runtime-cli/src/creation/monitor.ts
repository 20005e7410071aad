/**
 * The monitor's process: launched as soon as its fds are open, so that liblxc makes the namespaces while create compiles
 * init's plan; ended or kept when init is parked.
 */

import type { Arch } from '@crio-lxc/core/abi/arch'
import { O_PATH, O_RDWR, SIGKILL } from '@crio-lxc/core/abi/constants'
import { forksIntoCgroup, type OpenCgroup } from '@crio-lxc/core/cgroup/plan/join-cgroup'
import type { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { log } from '@crio-lxc/core/log/logger'
import { compile } from '@crio-lxc/core/plan/compile'
import { START_FIFO } from '@crio-lxc/core/plan/fifo-names'
import type { Plan } from '@crio-lxc/core/plan/plan'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { ExecutorProcess } from '@crio-lxc/core/process/executor-process'
import { childrenOf, readProcStat } from '@crio-lxc/core/process/proc'
import { close, pipe, write, writeAll } from '@crio-lxc/core/sys/fd'
import {
  makeDirectory,
  makeFifo,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_WRONLY,
  openFile,
  readText,
} from '@crio-lxc/core/sys/files'
import { fillSealed, memfdCreate, sealedFile } from '@crio-lxc/core/sys/memfd'
import { changeMode } from '@crio-lxc/core/sys/owner-and-mode'
import { planWait } from '@crio-lxc/init/wait-plan'
import { type LaunchInputs, planLaunch } from '@crio-lxc/start-monitor/launch-plan'
import type { Companions } from '../installation/companions.ts'

/** Of liblxc's log; at the level trace a container that fails has hundreds. */
const MOST_KEPT_LINES = 1000

export interface LaunchOptions {
  readonly arch: Arch
  readonly companions: Companions
  /** The container's; closed once the monitor has it. */
  readonly cgroup: OpenCgroup & { readonly fds: readonly number[] }
  /** One of `inherited`, to be replaced by a clone of the host's tree; undefined: nobody looks at it. */
  readonly hostTree: number | undefined
  /** One of `inherited`, for the monitor and init to join. */
  readonly timeNamespace: number | undefined
  /** For the monitor, which hands them on. */
  readonly timeOffsets: LaunchInputs['timeOffsets']
  /** Given when the container is in a user namespace. */
  readonly staged: readonly StagedMount[] | undefined
  /** It is, and in the host's pid namespace. */
  readonly hostPids: boolean
  /** What init needs of the host, under the same numbers. */
  readonly inherited: readonly number[]
  /** Its plans note when they begin what. */
  readonly traced: boolean
  /** The text of liblxc's config; `plan` is what init runs first. */
  readonly config: (fds: { readonly plan: number; readonly log: number }) => string
}

export class Monitor {
  readonly #process: ExecutorProcess
  /** What the monitor and init run before the container's plan. */
  readonly plans: readonly Plan[]
  readonly fifoDirectory: number
  readonly reportRead: number
  readonly reportWrite: number
  readonly #plan: number
  readonly #go: number
  readonly #logPath: string
  readonly #open = new Set<number>()
  #reaped = false

  constructor(info: ContainerInfo, options: LaunchOptions) {
    const { arch, companions, cgroup, inherited, config } = options
    const keep = (fd: number): number => {
      this.#open.add(fd)
      return fd
    }
    for (const fd of cgroup.fds) keep(fd)
    try {
      this.#plan = keep(memfdCreate('plan'))
      const configFile = keep(openFile(info.configFilePath(), O_RDWR | O_CREAT | O_EXCL, 0o600))
      this.#logPath = info.runtimePath('lxc.log')
      const log = keep(openFile(this.#logPath, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600))
      this.fifoDirectory = keep(makeStartFifo(info))
      const [reportRead, reportWrite] = pipe()
      this.reportRead = keep(reportRead)
      this.reportWrite = keep(reportWrite)
      const [goRead, goWrite] = pipe()
      keep(goRead)
      this.#go = keep(goWrite)
      const name = info.containerId
      const command = [companions.start, name, `${companions.libexec}/lxc`, `/proc/self/fd/${configFile}`]
      const launchPlan = planLaunch({ ...options, stage: companions.stage, report: reportWrite, command })
      const waitPlan = planWait({
        arch,
        go: goRead,
        plan: this.#plan,
        traceReport: options.traced ? reportWrite : undefined,
      })
      this.plans = [launchPlan, waitPlan]
      const [launch, wait] = this.plans.map((plan) => keep(sealedFile('plan', compile(plan, reportWrite)))) as [
        number,
        number,
      ]
      writeAll(configFile, config({ plan: wait, log }))
      const own = [this.#plan, configFile, log, this.fifoDirectory, this.reportWrite, goRead, wait]
      this.#process = new ExecutorProcess({
        path: companions.init,
        plan: launch,
        fds: [...inherited, ...cgroup.fds, ...own],
        forks: forksIntoCgroup(cgroup),
      })
      // Only the child may hold these: end of file is how either side learns that the other is gone.
      for (const fd of [...cgroup.fds, goRead, launch, wait]) this.#close(fd)
    } catch (error) {
      this.close()
      throw error
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  /** The monitor has forked and its child goes on as the monitor, says a record. Throws RuntimeError when that is not so. */
  continueAs(pid: number, what: string): void {
    this.#process.follow(pid, what)
    this.#process.reapForked()
  }

  /** Lets init run its plan. */
  go(plan: Plan): void {
    fillSealed(this.#plan, compile(plan, this.reportWrite))
    try {
      write(this.#go, 'g')
    } catch (error) {
      // Nobody is left to read it: what happened stands in the report.
      if (codeOf(error) !== 'EPIPE') throw error
    }
    this.#close(this.#go)
    this.#close(this.reportWrite)
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
    if (this.#process.hasEnded())
      return new RuntimeError('liblxc', 'the monitor was killed before the container was ready')
    const children = this.#children()
    if (children.length === 0 || children.some((pid) => readProcStat(pid)?.state !== 'Z')) return undefined
    return new RuntimeError('liblxc', "the container's first process was killed before it was ready")
  }

  /** SIGKILL, so that liblxc's own clean-up, which would end init, does not run. */
  kill(): void {
    this.#process.signal(SIGKILL)
  }

  /** Kills it and waits until it is gone; init's parent is then the caller. */
  end(): void {
    if (this.#reaped) return
    this.#process.end()
    this.#reaped = true
  }

  /** The last error lines of liblxc's log as one phrase; empty when it has none. */
  lastErrors(): string {
    let text: string
    try {
      text = readText(this.#logPath)
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
    const lines = readText(this.#logPath).split('\n').filter(Boolean)
    for (const line of lines.slice(-MOST_KEPT_LINES)) log.info(line, { c: 'liblxc' })
  }

  /** Closes what create holds of it. */
  close(): void {
    for (const fd of this.#open) close(fd)
    this.#open.clear()
  }

  #close(fd: number): void {
    if (this.#open.delete(fd)) close(fd)
  }
}

/**
 * init opens the fifo as the container's user, below an fd of its directory: that directory can be entered by all, and
 * nobody but init can reach it, because the runtime directory around it is 0700.
 */
function makeStartFifo(info: ContainerInfo): number {
  const directory = info.runtimePath('fifo')
  makeDirectory(directory, 0o711)
  makeFifo(`${directory}/${START_FIFO}`, 0o600)
  changeMode(`${directory}/${START_FIFO}`, 0o622)
  return openFile(directory, O_PATH | O_DIRECTORY)
}
