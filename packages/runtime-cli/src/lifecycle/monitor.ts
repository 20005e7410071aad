/** The monitor's process: launched early, told to go on when everything is written, ended or kept when init is parked. */
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { kill } from 'node:process'
import type { Arch } from '@crio-lxc/core/abi/arch'
import type { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { compile } from '@crio-lxc/core/plan/compile'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { memfdCreate, mkfifo, pipe } from '@crio-lxc/core/sys/libc'
import { spawn, wait } from '@crio-lxc/core/sys/spawn'
import { START_FIFO } from '@crio-lxc/init/container-plan'
import { planLaunch } from '@crio-lxc/start-monitor/launch-plan'
import type { Companions } from './companions.ts'

export interface LaunchOptions {
  readonly arch: Arch
  readonly companions: Companions
  /** Closed once the monitor has them. */
  readonly cgroupProcs: readonly number[]
  /** What init needs of the host, under the same numbers. */
  readonly inherited: readonly number[]
}

export class Monitor {
  readonly pid: number
  readonly launchPlan: Plan
  /** To be filled before `go`. */
  readonly plan: number
  readonly config: number
  /** liblxc's log. */
  readonly log: number
  readonly fifoDirectory: number
  readonly reportRead: number
  readonly reportWrite: number
  readonly #go: number
  readonly #logPath: string
  readonly #open = new Set<number>()
  #reaped = false

  constructor(info: ContainerInfo, { arch, companions, cgroupProcs, inherited }: LaunchOptions) {
    const keep = (fd: number): number => {
      this.#open.add(fd)
      return fd
    }
    for (const fd of cgroupProcs) keep(fd)
    try {
      this.plan = keep(memfdCreate('plan'))
      this.config = keep(openSync(info.configFilePath(), 'wx+', 0o600))
      this.#logPath = info.runtimePath('lxc.log')
      this.log = keep(openSync(this.#logPath, 'ax', 0o600))
      this.fifoDirectory = keep(makeFifo(info))
      const [reportRead, reportWrite] = pipe()
      this.reportRead = keep(reportRead)
      this.reportWrite = keep(reportWrite)
      const [goRead, goWrite] = pipe()
      keep(goRead)
      this.#go = keep(goWrite)
      const name = info.containerId
      const command = [companions.start, name, `${companions.libexec}/lxc`, `/proc/self/fd/${this.config}`]
      this.launchPlan = planLaunch({ arch, cgroupProcs, go: goRead, command })
      const launch = keep(memfdCreate('launch'))
      writeSync(launch, compile(this.launchPlan, this.reportWrite))
      const own = [this.plan, this.config, this.log, this.fifoDirectory, this.reportWrite, goRead, launch]
      this.pid = spawn({
        path: companions.init,
        args: ['crio-lxc-init', String(launch)],
        env: [],
        fds: [...inherited, ...cgroupProcs, ...own],
      })
      // Only the child may hold these: end of file is how either side learns that the other is gone.
      for (const fd of [...cgroupProcs, goRead, launch]) this.#close(fd)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Everything is written: the monitor may start liblxc. */
  go(): void {
    writeSync(this.#go, 'g')
    this.#close(this.#go)
    this.#close(this.reportWrite)
  }

  /** Init's pid on the host: the only child of the monitor. */
  initPid(): number {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'latin1').trim()
    if (/^\d+$/.test(children)) return Number(children)
    throw new RuntimeError(
      'create-failed',
      `find init among the children of the monitor ${this.pid}: expected one pid, found "${children}"`,
    )
  }

  /** SIGKILL, so that liblxc's own clean-up, which would end init, does not run; init's parent is then the caller. */
  end(): void {
    if (this.#reaped) return
    kill(this.pid, 'SIGKILL')
    wait(this.pid)
    this.#reaped = true
  }

  /** The last error lines of liblxc's log as one phrase; empty when it has none. */
  lastErrors(): string {
    let text: string
    try {
      text = readFileSync(this.#logPath, 'utf8')
    } catch (error) {
      return messageOf(error)
    }
    const errors = text.split('\n').filter((line) => / ERROR /.test(line))
    return errors
      .slice(-3)
      .map((line) => line.replace(/^lxc \S+ \S+ ERROR\s+\S+ - \S+:(\w+):\d+ - /, '$1: '))
      .join('; ')
  }

  /** Closes what create holds of it. */
  close(): void {
    for (const fd of this.#open) closeSync(fd)
    this.#open.clear()
  }

  #close(fd: number): void {
    if (this.#open.delete(fd)) closeSync(fd)
  }
}

/**
 * init opens the fifo as the container's user, below an fd of its directory: that directory can be entered by all, and
 * nobody but init can reach it, because the runtime directory around it is 0700.
 */
function makeFifo(info: ContainerInfo): number {
  const directory = info.runtimePath('fifo')
  mkdirSync(directory, { mode: 0o711 })
  mkfifo(`${directory}/${START_FIFO}`, 0o600)
  chmodSync(`${directory}/${START_FIFO}`, 0o622)
  return openSync(directory, 0o10000000 | 0o200000)
}
