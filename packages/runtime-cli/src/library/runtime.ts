/** Runtime of the seed, for programs on Node that embed the runtime: one container and the verbs on it. */

import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { type Log, type OpenLog, openLog, silent } from '@crio-lxc/core/host/log/logger'
import { parseSignal } from '@crio-lxc/core/host/process/signals'
import type { LxcContainer } from '@crio-lxc/core/liblxc/lxc-container'
import type { State } from '@crio-lxc/core/oci/state'
import { absolutePath } from '@crio-lxc/core/sys/program'
import { state } from '../lifecycle/state.ts'
import type { Settings } from '../settings.ts'
import { openLxcContainer } from './liblxc-config.ts'
import {
  absolute,
  type CallOptions,
  type CreateOptions,
  type ExecOptions,
  type KillOptions,
  type LogOptions,
  type RuntimeOptions,
  type StartOptions,
  settingsOf,
  type WaitOptions,
  withoutSignal,
} from './options.ts'
import { packageLibexec } from './package-libexec.ts'
import { type Circumstances, inThread } from './thread.ts'

/**
 * One container and the verbs on it. A Runtime holds nothing of the container: any number of them, in any number of processes,
 * may be of the same one, and several roots may be in use at once.
 */
export class Runtime {
  /** The container's facts and files; its facts are there after `create` or `info.load()`. */
  readonly info: ContainerInfo
  /** The global settings, as the options and the defaults make them. */
  readonly settings: Settings
  readonly #libexec: string
  #logging: { readonly options: LogOptions; readonly open: OpenLog } | undefined
  #container: LxcContainer | undefined

  /** Synchronous; looks at nothing. Throws RuntimeError `usage` or `invalid-id`. */
  constructor(containerId: string, options: RuntimeOptions = {}) {
    this.settings = settingsOf(options)
    this.info = new ContainerInfo(this.settings.root, checkContainerId(containerId))
    this.#libexec = options.libexec === undefined ? packageLibexec() : absolutePath(options.libexec)
  }

  /** The container's id. */
  get containerId(): string {
    return this.info.containerId
  }

  /** Messages of the program beside those of the verbs, in the same files; silent until `configureLogging`. Synchronous. */
  get log(): Log {
    return this.#logging?.open.log ?? silent
  }

  /**
   * liblxc's handle of the container, with the config that create has generated; opened when it is first asked for, closed by
   * `release`. Synchronous. Throws ErrNotExist, or RuntimeError `liblxc`.
   */
  get container(): LxcContainer {
    this.#container ??= openLxcContainer(this.info)
    return this.#container
  }

  /**
   * Makes the container of a bundle; its init waits for start. Asynchronous: the work is done in a thread. Rejects with ErrExist
   * when the id is taken; whatever it rejects with, an abort included, nothing is left of the container.
   */
  async create(options: CreateOptions): Promise<ContainerInfo> {
    const given = withoutSignal(absolute(options))
    this.info.facts = await inThread('create', [this.settings, this.containerId, given], this.#given(options))
    return this.info
  }

  /**
   * Resolves when the container's program has been executed, or says that it is ready. Asynchronous. Rejects with ErrNotExist.
   * After an abort the program may run all the same: ask for the state.
   */
  start(options: StartOptions = {}): Promise<void> {
    const given = withoutSignal(options)
    return inThread('start', [this.settings, this.containerId, given], this.#given(options))
  }

  /**
   * Sends a signal, by its number or name, to init. Asynchronous: SIGKILL of all processes waits for their end. Rejects with
   * ErrNotExist, and with ErrNotRunning when there is no process to signal.
   */
  async kill(signum: number | NodeJS.Signals, options: KillOptions = {}): Promise<void> {
    const { all = false } = options
    const number = parseSignal(String(signum))
    await inThread('kill', [this.settings, this.containerId, number, { all }], this.#given(options))
  }

  /**
   * Removes everything that a stopped or created container holds. Asynchronous. With `force` one that runs is killed, and one
   * that does not exist is no error; without, rejects with ErrNotExist or RuntimeError `wrong-state`.
   */
  delete(force = false, options: CallOptions = {}): Promise<void> {
    return inThread('delete', [this.settings, this.containerId, { force }], this.#given(options))
  }

  /** Synchronous: reads files of the runtime directory and of /proc. Throws ErrNotExist. */
  state(): State {
    return state(this.settings, this.containerId)
  }

  /**
   * Runs a process in the container, with the standard streams of this program, and resolves with its exit code, 128 + n for
   * signal n. Asynchronous: a thread waits for it, and reaps it. An abort kills it.
   */
  exec(options: ExecOptions): Promise<number> {
    return inThread('exec', [this.settings, this.containerId, withoutSignal(options)], this.#given(options))
  }

  /**
   * The same without waiting for its end: resolves with its pid on the host once its program has been executed. Asynchronous. It is
   * a child of this program, which Node does not reap: `wait` does.
   */
  execDetached(options: ExecOptions): Promise<number> {
    return inThread('execDetached', [this.settings, this.containerId, withoutSignal(options)], this.#given(options))
  }

  /**
   * Resolves when init, or the process that `execDetached` has returned, has ended. Asynchronous: a thread waits. With its exit
   * code when it was a child of this program, which is reaped; with undefined when somebody else is its parent. Rejects with
   * ErrNotExist when the container has gone.
   */
  wait(options: WaitOptions = {}): Promise<number | undefined> {
    return inThread('wait', [this.settings, this.containerId, options.pid], this.#given(options))
  }

  /** Opens log files for this Runtime alone; those from before are closed. Rejects with RuntimeError `io`. */
  async configureLogging(options: LogOptions): Promise<void> {
    const open = await openLog({ ...options, containerId: this.containerId })
    this.#logging?.open.close()
    this.#logging = { options, open }
  }

  /** Closes the log files and liblxc's handle; the container goes on, and so does what is under way. Synchronous. */
  release(): void {
    this.#logging?.open.close()
    this.#logging = undefined
    this.#container?.close()
    this.#container = undefined
  }

  #given({ signal }: CallOptions): Circumstances {
    const { options } = this.#logging ?? {}
    return { libexec: this.#libexec, log: options && { ...options, containerId: this.containerId }, signal }
  }
}
