/**
 * conmon and the runtime, called as CRI-O's internal/oci/runtime_oci.go calls them: the same arguments in the same
 * order, pipes 3 and 4 for conmon, an environment with nothing in it for the runtime.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, expect } from 'vitest'
import { type Bundle, type BundleOptions, makeBundle, temporaryDirectory } from '../../support/bundle.ts'
import type { State } from '../../support/containers.ts'
import { leftovers } from '../../support/leftovers.ts'
import { cgroupMounts, commandLines, isAlive } from '../../support/proc.ts'
import { outputs, runtimePath } from '../../support/runtime.ts'
import type { Process, Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type SyncRecord, startConmon } from './conmon-process.ts'
import { readLog, type Streams } from './cri-log.ts'
import { removeCgroups } from './remove-cgroups.ts'

/** A container that conmon was asked to create. */
export interface Monitored {
  readonly id: string
  readonly bundle: Bundle
  /** First record of the sync pipe. */
  readonly record: SyncRecord
  readonly files: MonitorFiles
}

/** Absolute paths of what conmon and the runtime write. */
export interface MonitorFiles {
  readonly pid: string
  readonly conmonPid: string
  readonly exit: string
  readonly log: string
  /** Named pipe that takes `1 ROWS COLUMNS` lines. */
  readonly control: string
}

export interface RuntimeResult {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface ExecSyncOptions {
  readonly process?: Partial<Process>
  /** conmon's -T, seconds. */
  readonly timeout?: number
  readonly terminal?: boolean
}

export interface ExecSyncResult {
  readonly record: SyncRecord
  /** Content of the pid file, undefined when there is none. */
  readonly pidFile: string | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface ExecAttachResult {
  readonly record: SyncRecord
  readonly log: () => Streams
  /** Content of the exit file, once conmon has written it. */
  readonly exitCode: () => Promise<string>
}

export class Crio {
  readonly directory: string = temporaryDirectory('crio-lxc-conmon-')
  readonly root: string = join(this.directory, 'root')
  /** Parent of the containers' cgroups. */
  readonly cgroupParent: string = `/callers-conmon-${process.pid}`
  readonly #errors: string = join(this.directory, 'conmon-errors')
  #ids: string[] = []
  #counter = 0

  constructor() {
    for (const name of ['root', 'exits', 'attach']) mkdirSync(join(this.directory, name), { mode: 0o755 })
  }

  id(): string {
    const id = `callers-conmon-${process.pid}-${this.#counter++}`
    this.#ids.push(id)
    return id
  }

  /** A bundle whose container lies in a cgroup of this test file's. */
  bundle(id: string, options: BundleOptions): Promise<Bundle> {
    const withCgroup = (spec: Spec): void => {
      spec.linux.cgroupsPath = `${this.cgroupParent}/${id}`
      spec.annotations = { 'io.kubernetes.cri-o.ContainerType': 'container' }
      options.spec?.(spec)
    }
    return makeBundle(this.directory, { ...options, spec: withCgroup })
  }

  /** CRI-O's CreateContainer. */
  async create(options: BundleOptions & { id?: string } = {}): Promise<Monitored> {
    const id = options.id ?? this.id()
    const bundle = await this.bundle(id, options)
    return this.createFrom(bundle, id)
  }

  /** The same for a bundle that exists. */
  async createFrom(bundle: Bundle, id: string): Promise<Monitored> {
    const files: MonitorFiles = {
      pid: join(bundle.path, 'pidfile'),
      conmonPid: join(bundle.path, 'conmon.pid'),
      exit: join(this.directory, 'exits', id),
      log: join(bundle.path, 'log'),
      control: join(bundle.path, 'ctl'),
    }
    const { sync, ended } = startConmon(
      [
        ...['-b', bundle.path, '-c', id, '--exit-dir', join(this.directory, 'exits'), '-l', files.log],
        ...['--log-level', 'error', '-n', id, '-P', files.conmonPid, '-p', files.pid, '--persist-dir', bundle.path],
        ...['-r', runtimePath, '--runtime-arg', `--root=${this.root}`],
        ...['--socket-dir-path', join(this.directory, 'attach'), '-u', id],
        ...(bundle.spec.process.terminal === true ? ['-t'] : []),
      ],
      { cwd: bundle.path, errors: this.#errors },
    )
    await ended
    return { id, bundle, record: await sync.first, files }
  }

  /** create, then `start`. */
  async start(options: BundleOptions = {}): Promise<Monitored> {
    const container = await this.create(options)
    expect(container.record.pid, container.record.message).toBeGreaterThan(0)
    expect(await this.runtime('start', container.id)).toMatchObject({ exitCode: 0, stderr: '' })
    return container
  }

  /** A direct call of the runtime: `env -i RUNTIME --root ROOT ...`. */
  async runtime(...args: string[]): Promise<RuntimeResult> {
    const { exitCode, stdout, stderr } = await execa(runtimePath, ['--root', this.root, ...args], {
      env: {},
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      timeout: 30_000,
      killSignal: 'SIGKILL',
    })
    return { exitCode, stdout, stderr }
  }

  async state(id: string): Promise<State> {
    const result = await this.runtime('state', id)
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    return JSON.parse(result.stdout) as State
  }

  /** Content of the exit file, once conmon has written it. */
  async exitCode({ files }: Monitored): Promise<string> {
    await waitFor(() => existsSync(files.exit) && readFileSync(files.exit, 'utf8') !== '', { what: files.exit })
    return readFileSync(files.exit, 'utf8')
  }

  /** CRI-O's prepareProcessExec: the container's own process with another command. */
  processFile({ bundle }: Monitored, args: readonly string[], process: Partial<Process> = {}): string {
    const path = join(bundle.path, `exec-process-${this.#counter++}`)
    writeFileSync(path, JSON.stringify({ ...bundle.spec.process, terminal: false, args, ...process }))
    return path
  }

  /** CRI-O's ExecSyncContainer. */
  async execSync(container: Monitored, args: string[], options: ExecSyncOptions = {}): Promise<ExecSyncResult> {
    const terminal = options.terminal === true
    const processFile = this.processFile(container, args, { ...options.process, terminal })
    const log = `${processFile}.log`
    const { sync, ended } = startConmon(
      [
        ...['-c', container.id, '-n', container.id, '-r', runtimePath, '-p', `${processFile}.pid`, '-e', '-l', log],
        ...['--socket-dir-path', join(this.directory, 'attach'), '--log-level', 'error', '--sync'],
        ...(terminal ? ['-t'] : []),
        ...(options.timeout === undefined ? [] : ['-T', String(options.timeout)]),
        ...['--exec-process-spec', processFile, '--runtime-arg', `--root=${this.root}`],
      ],
      { cwd: this.directory, errors: this.#errors },
    )
    await ended
    const pidFile = existsSync(`${processFile}.pid`) ? readFileSync(`${processFile}.pid`, 'utf8') : undefined
    return { record: await sync.first, pidFile, ...readLog(log) }
  }

  /** podman's exec: --api-version 1, the pid over the sync pipe, the exit code in a directory of the session. */
  async execAttach(container: Monitored, args: string[]): Promise<ExecAttachResult> {
    const processFile = this.processFile(container, args)
    const exits = `${processFile}.exits`
    mkdirSync(exits)
    const { sync, ended, attach, start } = startConmon(
      [
        ...['--api-version', '1', '-c', container.id, '-u', `${container.id}-exec`, '-r', runtimePath],
        ...['-b', container.bundle.path, '-p', `${processFile}.pid`, '-n', container.id, '--exit-dir', exits],
        ...['--socket-dir-path', join(this.directory, 'attach'), '-l', `${processFile}.log`, '--log-level', 'error'],
        ...['--exec-attach', '-e', '--exec-process-spec', processFile, '--runtime-arg', `--root=${this.root}`],
      ],
      { cwd: container.bundle.path, errors: this.#errors, withAttach: true },
    )
    await attach?.first
    start.write('\0')
    await ended
    const exit = join(exits, container.id)
    return {
      record: await sync.first,
      log: () => readLog(`${processFile}.log`),
      exitCode: () => waitFor(() => existsSync(exit) && (readFileSync(exit, 'utf8') || false), { what: exit }),
    }
  }

  leftovers(...ids: string[]): string[] {
    return leftovers({ ids, directories: [this.directory], root: this.root })
  }

  /** `delete --force` of everything, then the end of every conmon; nothing may be left. */
  async cleanUp(): Promise<void> {
    const ids = this.#ids.splice(0)
    for (const id of ids) expect(await this.runtime('delete', '--force', id)).toMatchObject({ exitCode: 0 })
    const ours = (): number[] =>
      [...commandLines()].flatMap(([pid, line]) => (line.includes(this.directory) && isAlive(pid) ? [pid] : []))
    await waitFor(() => ours().length === 0, { timeoutMs: 5000, what: 'conmon to end' }).catch((error: Error) => {
      for (const pid of ours()) process.kill(pid, 'SIGKILL')
      throw error
    })
    expect(this.leftovers(...ids)).toEqual([])
  }

  async close(): Promise<void> {
    await removeCgroups(Object.values(cgroupMounts()).map((mount) => join(mount, this.cgroupParent)))
    for (const directory of [this.directory, outputs()])
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  }
}

/** Call once at the top of a test file. */
export function useCrio(): Crio {
  const crio = new Crio()
  afterEach(() => crio.cleanUp())
  afterAll(() => crio.close())
  return crio
}
