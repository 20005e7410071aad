/**
 * The bench of one test file: a private --root, bundles and ids of its own, and after each test the proof that
 * nothing of it is left on the host.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type Bundle, type BundleOptions, makeBundle, temporaryDirectory } from './bundle.ts'
import { leftovers } from './leftovers.ts'
import { type ProbeReport, parseProbe } from './probe.ts'
import { isAlive } from './proc.ts'
import { type InvokeOptions, invoke, outputs, type Result } from './runtime.ts'
import { waitFor } from './wait-for.ts'

/** runc state, contracts of the JSON that callers read. */
export interface State {
  ociVersion: string
  id: string
  pid: number
  status: 'creating' | 'created' | 'running' | 'stopped' | 'paused'
  bundle: string
  rootfs?: string
  created?: string
  owner?: string
  annotations?: Record<string, string>
}

export interface Created {
  readonly id: string
  readonly bundle: Bundle
  /** The call of `create` or `run --detach`; its output() is the container's. */
  readonly result: Result
  readonly pid: number
}

/** Of all files: they may run in one process, and an id must not come back before systemd has forgotten its scope. */
let counter = 0

export class Containers {
  /** Parent of everything that the file makes; 0755, so that a mapped or other user may pass. */
  readonly directory: string = temporaryDirectory('crio-lxc-test-')
  readonly root: string = join(this.directory, 'runtime-root')
  #ids: string[] = []
  #pids: number[] = []
  #afterEach: (() => void | Promise<void>)[] = []

  constructor() {
    chmodSync(this.directory, 0o755)
    mkdirSync(this.root, { mode: 0o711 })
  }

  /** An id that no other test of any run has. */
  id(): string {
    const id = `t-${process.pid}-${counter++}`
    this.#ids.push(id)
    return id
  }

  /** Runs `task` after the test, before the check for leftovers. */
  defer(task: () => void | Promise<void>): void {
    this.#afterEach.push(task)
  }

  /** A fresh directory of the host, removed with the file's others. */
  hostDirectory(name = 'host-'): string {
    const path = join(this.directory, `${name}${counter++}`)
    mkdirSync(path)
    return path
  }

  bundle(options: BundleOptions = {}): Promise<Bundle> {
    return makeBundle(this.directory, options)
  }

  /** `RUNTIME --root ROOT ARGS...` */
  runtime(args: readonly string[], options: InvokeOptions = {}): Promise<Result> {
    return invoke(['--root', this.root, ...args], options)
  }

  /** The same, failing the test unless it exits 0. */
  async ok(args: readonly string[], options: InvokeOptions = {}): Promise<Result> {
    const result = await this.runtime(args, options)
    expect(result, `${args.join(' ').slice(0, 200)}: ${result.stderr}`).toMatchObject({ exitCode: 0 })
    return result
  }

  /** `run` in the foreground on a bundle of these options (or one made before). */
  async run(
    from: Bundle | BundleOptions,
    options: InvokeOptions & { flags?: readonly string[] } = {},
  ): Promise<Result> {
    const bundle = await this.#bundleOf(from)
    return this.runtime(['run', '--bundle', bundle.path, ...(options.flags ?? []), this.id()], options)
  }

  /** `run` of /probe, and its report. */
  async probe(from: Bundle | BundleOptions = {}, options: InvokeOptions = {}): Promise<ProbeReport> {
    const bundle = await this.#bundleOf('path' in from ? from : { args: ['/probe'], ...from })
    const result = await this.run(bundle, options)
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    return parseProbe(result.stdout)
  }

  /** `exec FLAGS ID /probe` and its report. */
  async probeExec(id: string, flags: readonly string[] = [], options: InvokeOptions = {}): Promise<ProbeReport> {
    return parseProbe((await this.ok(['exec', ...flags, id, '/probe'], options)).stdout)
  }

  /** Writes a process.json, as exec --process takes it; gives its path. */
  processFile(process: object): string {
    const path = join(this.hostDirectory('process-'), 'process.json')
    writeFileSync(path, JSON.stringify(process))
    return path
  }

  /** `create`, failing the test unless it exits 0. */
  async create(
    from: Bundle | BundleOptions = {},
    options: InvokeOptions & { flags?: readonly string[]; id?: string } = {},
  ): Promise<Created> {
    const bundle = await this.#bundleOf(from)
    const id = options.id ?? this.id()
    const result = await this.ok(['create', '--bundle', bundle.path, ...(options.flags ?? []), id], options)
    return { id, bundle, result, pid: await this.#pid(id) }
  }

  /** `create` of a fresh id, whatever comes of it; `global` stands before the verb. */
  attemptCreate(
    bundle: Bundle,
    options: InvokeOptions & { global?: readonly string[]; flags?: readonly string[] } = {},
  ): Promise<Result> {
    const { global = [], flags = [] } = options
    return this.runtime([...global, 'create', '--bundle', bundle.path, ...flags, this.id()], options)
  }

  /** A container whose process runs until it is killed: `sleep 1000` unless the options say otherwise. */
  async running(
    from: Bundle | BundleOptions = {},
    options: InvokeOptions & { flags?: readonly string[] } = {},
  ): Promise<Created> {
    const bundle = await this.#bundleOf('path' in from ? from : { args: ['sleep', '1000'], ...from })
    const created = await this.create(bundle, options)
    await this.ok(['start', created.id])
    return created
  }

  /** A container whose process has ended. */
  async stopped(from: Bundle | BundleOptions = {}): Promise<Created> {
    const container = await this.create(from)
    await this.ok(['start', container.id])
    await this.waitForStatus(container.id, 'stopped')
    return container
  }

  async state(id: string): Promise<State> {
    return JSON.parse((await this.ok(['state', id])).stdout) as State
  }

  /** State of a container that may not exist. */
  async stateOrNone(id: string): Promise<State | undefined> {
    const result = await this.runtime(['state', id])
    return result.exitCode === 0 ? (JSON.parse(result.stdout) as State) : undefined
  }

  waitForStatus(id: string, status: State['status'], timeoutMs = 10_000): Promise<State> {
    return waitFor(
      async () => {
        const state = await this.state(id)
        return state.status === status ? state : undefined
      },
      { timeoutMs, what: `${id} to be ${status}` },
    )
  }

  /** What is left of the ids of this test and of the file's directory. */
  leftovers(): string[] {
    return leftovers({ ids: this.#ids, directories: [this.directory], root: this.root })
  }

  /** Fails unless the id has left no trace: for calls that must undo everything they did. */
  expectNothingLeft(): void {
    expect(this.leftovers()).toEqual([])
    expect(this.#pids.filter(isAlive)).toEqual([])
  }

  /** Deletes everything by force, then checks that nothing is left. */
  async cleanUp(): Promise<void> {
    const tasks = this.#afterEach.splice(0).reverse()
    for (const task of tasks) await task()
    const failures: string[] = []
    for (const id of this.#ids) {
      const { exitCode, stderr, timedOut } = await this.runtime(['delete', '--force', id])
      if (exitCode !== 0)
        failures.push(`delete --force ${id}: ${timedOut ? 'timed out' : `exit ${exitCode}`}: ${stderr.trim()}`)
    }
    try {
      expect(failures).toEqual([])
      await waitFor(() => this.#pids.every((pid) => !isAlive(pid)), {
        timeoutMs: 5000,
        what: `the processes ${this.#pids} to end`,
      })
      expect(this.leftovers()).toEqual([])
    } finally {
      this.#ids = []
      this.#pids = []
    }
  }

  /** Removes the file's directory, and first what a failed test may have made under an id of its own. */
  async remove(): Promise<void> {
    for (const id of readdirSync(this.root)) await this.runtime(['delete', '--force', '--', id])
    rmSync(this.directory, { recursive: true, force: true })
    const written = outputs()
    if (written !== undefined) rmSync(written, { recursive: true, force: true })
  }

  /** Content of a file of the bundle's host side. */
  read(path: string): string {
    return readFileSync(path, 'utf8')
  }

  async #bundleOf(from: Bundle | BundleOptions): Promise<Bundle> {
    return 'path' in from ? from : this.bundle(from)
  }

  async #pid(id: string): Promise<number> {
    const { pid } = await this.state(id)
    this.#pids.push(pid)
    return pid
  }
}

/** Call once at the top of a test file. */
export function useContainers(): Containers {
  const containers = new Containers()
  beforeAll(() => {
    mkdirSync(containers.root, { recursive: true })
  })
  afterEach(() => containers.cleanUp())
  afterAll(() => containers.remove())
  return containers
}
