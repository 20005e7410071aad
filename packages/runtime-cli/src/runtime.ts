/**
 * Runtime of the seed: one container and the verbs on it, for programs that embed the runtime. It lives here and not
 * in core because create and exec need the plan compilers of init and start-monitor, and core imports no program.
 * The verbs block, as the seed's do, and those that may have something to load return a promise; settings.timeouts stand where the seed takes a context.
 */
import type { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { closeLogging, configureLogging, type Log, type LogConfiguration, silent } from '@crio-lxc/core/log/logger'
import type { State } from '@crio-lxc/core/oci/state'
import type { CreateOptions } from './creation/create-options.ts'
import type { ExecOptions } from './entering/exec-options.ts'
import { create } from './lifecycle/create.ts'
import { deleteContainer } from './lifecycle/delete.ts'
import { exec, execDetached } from './lifecycle/exec.ts'
import { kill } from './lifecycle/kill.ts'
import { type StartOptions, start } from './lifecycle/start.ts'
import { state } from './lifecycle/state.ts'
import type { Settings } from './settings.ts'

export class Runtime {
  /** Silent until configureLogging. */
  log: Log = silent

  constructor(
    readonly settings: Settings,
    readonly containerId: string,
  ) {}

  /** Makes the container of options.bundle; init waits for start. Throws ErrExist when the id is taken. */
  create(options: Omit<CreateOptions, 'id'>): Promise<ContainerInfo> {
    return create(this.settings, { ...options, id: this.containerId })
  }

  /** Returns when the container's program has been executed, or says that it is ready. Throws ErrNotExist. */
  start(options: StartOptions = {}): Promise<void> {
    return start(this.settings, this.containerId, options)
  }

  /** Throws ErrNotExist, and ErrNotRunning when there is no process to signal. */
  kill(signal: number, options: { all: boolean } = { all: false }): void {
    kill(this.settings, this.containerId, signal, options)
  }

  /** Throws ErrNotExist; with `force` a missing container is no error. */
  delete(force: boolean): Promise<void> {
    return deleteContainer(this.settings, this.containerId, { force })
  }

  /** Throws ErrNotExist. */
  state(): State {
    return state(this.settings, this.containerId)
  }

  /** Returns the exit code of the process. */
  async exec(options: Omit<ExecOptions, 'detach'>): Promise<number> {
    return exec(this.settings, this.containerId, { ...options, detach: false })
  }

  /** Returns the pid of the process on the host; it is a child of this process, which has to reap it. */
  execDetached(options: Omit<ExecOptions, 'detach'>): number {
    return execDetached(this.settings, this.containerId, options)
  }

  /** The log is the process's: it replaces that of another Runtime. Throws RuntimeError when a file cannot be opened. */
  async configureLogging(configuration: Omit<LogConfiguration, 'containerId'>): Promise<void> {
    this.log = await configureLogging({ ...configuration, containerId: this.containerId })
  }

  /** Closes the log files; containers go on. */
  release(): void {
    if (this.log === silent) return
    this.log = silent
    closeLogging()
  }
}
