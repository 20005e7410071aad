/**
 * struct lxc_container (lxccontainer.h): the functions of its table that read a config and say what liblxc knows of a
 * container. Their offsets are the same from liblxc 3.1 to 7.0, on both processors.
 */
import { decode } from '../abi/bytes.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import type { Word } from '../sys/engine.ts'
import { isTrue, library, textAt } from './library.ts'

const offsets = {
  error_string: 56,
  error_num: 64,
  is_defined: 80,
  state: 88,
  init_pid: 120,
  load_config: 128,
  clear_config: 256,
  get_config_item: 272,
  get_keys: 288,
} as const

const POINTER_BYTES = 8

/** A handle of liblxc, which belongs to the process: it is to be closed. */
export class LxcContainer {
  readonly name: string
  #address: number

  /**
   * lxc_container_new(3), without the config that lxc.conf(5) names as the default. It makes a directory for locks below
   * /run/lxc/lock. Throws RuntimeError `liblxc`.
   */
  constructor(name: string, lxcPath: string) {
    this.name = name
    this.#address = library().call('lxc_container_new', name, lxcPath)
    if (this.#address === 0)
      throw new RuntimeError('liblxc', `make a handle of liblxc for ${name}: lxc_container_new() has failed`)
    this.#call('clear_config')
  }

  /**
   * Reads a config as `crio-lxc-start` would. liblxc opens what lxc.log.file names, in this process and for all handles of it.
   * Throws RuntimeError `liblxc` for a line that it does not accept; that is in its log alone.
   */
  loadConfig(path: string): void {
    if (!isTrue(this.#call('load_config', path)))
      throw new RuntimeError('liblxc', `load ${path} into liblxc: it does not accept the config`)
  }

  /** The value as liblxc would write it, one line for each of a list; undefined when the key is not known or has none. */
  getConfigItem(key: string): string | undefined {
    const value = this.#text((...buffer) => this.#call('get_config_item', key, ...buffer))
    return value === '' ? undefined : value
  }

  /** All keys that are known, or those of a network, `lxc.net.0`. */
  keys(prefix: string | null = null): string[] {
    return this.#text((...buffer) => this.#call('get_keys', prefix, ...buffer))
      .split('\n')
      .filter(Boolean)
  }

  /** Whether liblxc has a config file of the container below its own path, which no container of this runtime has. */
  isDefined(): boolean {
    return isTrue(this.#call('is_defined'))
  }

  /**
   * "STOPPED", "RUNNING" and so on, as the monitor answers on liblxc's command socket: of a container of this runtime it is
   * "STOPPED", because crio-lxc-start does not listen to whoever shares the network namespace.
   */
  state(): string {
    return textAt(this.#call('state'))
  }

  /** The same of init's pid: undefined when no monitor answers. */
  initPid(): number | undefined {
    const pid = this.#call('init_pid') | 0
    return pid > 0 ? pid : undefined
  }

  /** What liblxc says of its last failure. */
  get errorString(): string {
    return textAt(this.#word(offsets.error_string))
  }

  get errorNumber(): number {
    return this.#word(offsets.error_num) | 0
  }

  /** lxc_container_put(3); the handle is of no use any more. */
  close(): void {
    if (this.#address !== 0) library().call('lxc_container_put', this.#address)
    this.#address = 0
  }

  #call(name: Exclude<keyof typeof offsets, 'error_string' | 'error_num'>, ...words: readonly Word[]): number {
    return library().callAt(this.#word(offsets[name]), this.#address, ...words)
  }

  #word(offset: number): number {
    if (this.#address === 0) throw new RuntimeError('liblxc', `use the handle of ${this.name}: it has been closed`)
    const bytes = library().read(this.#address + offset, POINTER_BYTES)
    return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true))
  }

  /** `get` says with no buffer how long the text is, and then writes it with a NUL behind. */
  #text(get: (buffer: Uint8Array | null, length: number) => number): string {
    const length = get(null, 0) | 0
    if (length <= 0) return ''
    const buffer = new Uint8Array(length + 1)
    get(buffer, buffer.length)
    return decode(buffer.subarray(0, length))
  }
}
