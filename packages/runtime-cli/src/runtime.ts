/**
 * Runtime of the seed: one container and the verbs on it, for programs that embed the runtime. It lives here and not
 * in core because create and exec need the plan compilers of init and start-monitor, and core imports no program.
 */
import type { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { configureLogging, type Log, type LogConfiguration, silent } from '@crio-lxc/core/log/logger'
import type { State } from '@crio-lxc/core/oci/state'
import { type CreateOptions, create } from './lifecycle/create.ts'
import { deleteContainer } from './lifecycle/delete.ts'
import { exec, execDetached } from './lifecycle/exec.ts'
import type { ExecOptions } from './lifecycle/exec-options.ts'
import { kill } from './lifecycle/kill.ts'
import type { Settings } from './lifecycle/settings.ts'
import { start } from './lifecycle/start.ts'
import { state } from './lifecycle/state.ts'

export class Runtime {
  /** Silent until configureLogging. */
  log: Log = silent

  constructor(
    readonly settings: Settings,
    readonly containerId: string,
  ) {}

  /** Throws ErrExist when the id is taken. */
  create(options: Omit<CreateOptions, 'id'>): ContainerInfo {
    return create(this.settings, { ...options, id: this.containerId })
  }

  start(): void {
    start(this.settings, this.containerId)
  }

  /** Throws ErrNotRunning when there is no process to signal. */
  kill(signal: number, options: { all: boolean } = { all: false }): void {
    kill(this.settings, this.containerId, signal, options)
  }

  /** Throws ErrNotExist; with `force` a missing container is no error. */
  delete(force: boolean): void {
    deleteContainer(this.settings, this.containerId, { force })
  }

  state(): State {
    return state(this.settings, this.containerId)
  }

  /** Returns the exit code of the process. */
  async exec(options: ExecOptions): Promise<number> {
    return exec(this.settings, this.containerId, { ...options, detach: false })
  }

  /** Returns the pid of the process on the host. */
  execDetached(options: ExecOptions): number {
    return execDetached(this.settings, this.containerId, { ...options, detach: true })
  }

  async configureLogging(configuration: LogConfiguration): Promise<void> {
    this.log = await configureLogging({ ...configuration, containerId: this.containerId })
  }

  /** Lets go of the log; containers go on. */
  release(): void {
    this.log = silent
  }
}
