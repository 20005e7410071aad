/**
 * A containerd of its own: content, snapshots, state and sockets lie in a temporary directory, and so do the logs of
 * its containers. What it and its shims keep in /run/containerd, a path that is compiled in, is removed when empty.
 * Containers are called through `ctr`, in a namespace of that name alone, which is also the parent of their cgroups.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect } from 'vitest'
import { temporaryDirectory } from '../../support/bundle.ts'
import { leftovers } from '../../support/leftovers.ts'
import { cgroupMounts, commandLines, isAlive } from '../../support/proc.ts'
import { runtimePath } from '../../support/runtime.ts'
import { onTerminal, type TerminalSession, type TerminalSize } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'
import { findProgram } from './find-program.ts'
import { imageArchive, imageName } from './image-archive.ts'
import { removeCgroups } from './remove-cgroups.ts'

export interface CtrResult {
  readonly exitCode: number | undefined
  /** Without the final newline, as is stderr. */
  readonly stdout: string
  readonly stderr: string
}

/** A line of `ctr task ls`. */
export interface Task {
  readonly pid: number
  readonly status: 'CREATED' | 'RUNNING' | 'PAUSED' | 'STOPPED'
}

export class Containerd {
  /** Everything below here is removed by close(). */
  readonly directory: string = temporaryDirectory('crio-lxc-containerd-')
  readonly socket: string = join(this.directory, 'containerd.sock')
  #daemon: ChildProcess | undefined
  #counter = 0

  /** Of every cgroup that is made here, as in /proc/PID/cgroup. */
  readonly cgroupParent: string = `/callers${process.pid}${Date.now().toString(36)}`
  readonly namespace: string
  /** What shims give the runtime as --root. */
  readonly runtimeRoot: string
  readonly #configuration: string

  /** `1.6`: of the two that are compared here no number has two digits. */
  readonly version: string = versionOf(findProgram('containerd'))

  /** Options of the daemon: lines of config.toml, which follow root and state, and the namespace that they are about. */
  constructor(options?: { namespace: string; configuration: (runtimeRoot: string) => string }) {
    this.namespace = options?.namespace ?? this.cgroupParent.slice(1)
    this.runtimeRoot = join(this.directory, 'runtime', this.namespace)
    this.#configuration =
      options?.configuration(dirname(this.runtimeRoot)) ?? 'disabled_plugins = ["io.containerd.grpc.v1.cri"]'
  }

  /** Starts it and imports the image. */
  async open(): Promise<void> {
    writeFileSync(
      join(this.directory, 'config.toml'),
      `version = 2
root = "${this.directory}/root"
state = "${this.directory}/state"
${this.#configuration}
[grpc]
address = "${this.socket}"
[ttrpc]
address = "${this.socket}.ttrpc"
`,
    )
    await this.startDaemon()
    const archive = await imageArchive(this.directory, ['sleep', '1000'])
    await this.ok(['image', 'import', archive])
  }

  async startDaemon(): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a')
    const daemon = spawn(findProgram('containerd'), ['--config', join(this.directory, 'config.toml')], {
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    this.#daemon = daemon
    await waitFor(
      () => {
        if (daemon.exitCode !== null) throw new Error(`containerd exited ${daemon.exitCode}: ${this.log()}`)
        return this.call(['version']).then(({ exitCode }) => exitCode === 0)
      },
      { timeoutMs: 20_000, what: 'containerd to answer' },
    )
  }

  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    daemon.kill(signal)
    await waitFor(() => daemon.exitCode !== null || daemon.signalCode !== null, { what: 'containerd to end' })
  }

  /** What containerd and its shims have said. */
  log(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8')
  }

  /** A container id that no other test of this file has. */
  id(): string {
    return `callers-${process.pid}-${this.#counter++}`
  }

  /** A fresh directory of the host. */
  hostDirectory(): string {
    const path = join(this.directory, `host-${this.#counter++}`)
    mkdirSync(path, { mode: 0o777 })
    return path
  }

  /** Any ctr command; never throws on a failure of it. */
  async call(args: readonly string[], options: { input?: string } = {}): Promise<CtrResult> {
    const { exitCode, stdout, stderr } = await execa(findProgram('ctr'), [...this.#global(), ...args], {
      reject: false,
      timeout: 50_000,
      killSignal: 'SIGKILL',
      ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    })
    return { exitCode, stdout, stderr }
  }

  /** The same, failing the test unless it exits 0; its stdout. */
  async ok(args: readonly string[], options: { input?: string } = {}): Promise<string> {
    const result = await this.call(args, options)
    expect(result, `ctr ${args.join(' ')}: ${result.stderr}`).toMatchObject({ exitCode: 0 })
    return result.stdout
  }

  /** `ctr run --rm FLAGS IMAGE ID COMMAND` in the foreground. */
  async run(
    flags: readonly string[],
    command: readonly string[],
    options: { input?: string } = {},
  ): Promise<CtrResult> {
    return this.call(this.runArguments(['--rm', ...flags], this.id(), command), options)
  }

  /** The same, failing the test unless it exits 0; its stdout. */
  async output(flags: readonly string[], command: readonly string[]): Promise<string> {
    return this.ok(this.runArguments(['--rm', ...flags], this.id(), command))
  }

  /** `ctr run --detach`, then the id of the container, whose output goes to logOf(id). */
  async detached(flags: readonly string[], command: readonly string[]): Promise<string> {
    const id = this.id()
    const log = ['--log-uri', `file://${this.#logPath(id)}`]
    await this.ok(this.runArguments(['--detach', ...log, ...flags], id, command))
    return id
  }

  runArguments(flags: readonly string[], id: string, command: readonly string[], image = imageName): string[] {
    return [
      'run',
      '--runc-binary',
      runtimePath,
      '--runc-root',
      dirname(this.runtimeRoot),
      ...flags,
      image,
      id,
      ...command,
    ]
  }

  /** What a detached container has written. */
  logOf(id: string): string {
    return existsSync(this.#logPath(id)) ? readFileSync(this.#logPath(id), 'utf8') : ''
  }

  async waitForLog(id: string, text: string): Promise<void> {
    await waitFor(() => this.logOf(id).includes(text), { what: `${id} to write ${text}` })
  }

  /** `ctr task exec` in the foreground. */
  exec(id: string, command: readonly string[], flags: readonly string[] = []): Promise<CtrResult> {
    return this.call(['task', 'exec', '--exec-id', this.id(), ...flags, id, ...command])
  }

  /** A ctr command on a real terminal. */
  onTerminal(args: readonly string[], size?: TerminalSize): TerminalSession {
    const command = [findProgram('ctr'), ...this.#global(), ...args]
    return onTerminal(command, { env: { TERM: 'xterm' }, ...(size && { size }) })
  }

  /** undefined when containerd has no task of that container. */
  async task(id: string): Promise<Task | undefined> {
    const line = (await this.ok(['task', 'ls'])).split('\n').find((line) => line.split(/\s+/)[0] === id)
    const [, pid, status] = line?.split(/\s+/) ?? []
    return line === undefined ? undefined : { pid: Number(pid), status: status as Task['status'] }
  }

  async pid(id: string): Promise<number> {
    return (await this.task(id))?.pid ?? 0
  }

  async waitForStatus(id: string, status: Task['status'] | undefined): Promise<void> {
    await waitFor(async () => (await this.task(id))?.status === status, { what: `${id} to be ${status ?? 'gone'}` })
  }

  /** Exit code of a detached container, once it has ended; its task is deleted. */
  async exitCode(id: string): Promise<number> {
    await this.waitForStatus(id, 'STOPPED')
    return this.deleted([id])
  }

  /** `ctr task delete`; the exit code of the process, which ctr tells in a warning when it is not 0. */
  async deleted(args: readonly string[]): Promise<number> {
    const result = await this.call(['task', 'delete', ...args])
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    return Number(/exit with non-zero exit code (\d+)/.exec(result.stderr)?.[1] ?? 0)
  }

  /** The bundle that a container has while its task is there. */
  bundle(id: string): string {
    return `${this.directory}/state/io.containerd.runtime.v2.task/${this.namespace}/${id}`
  }

  /** The shim of a container. */
  shim(id: string): number {
    const shim = [...commandLines()].find(([, line]) => line.includes(this.socket) && line.includes(` -id ${id} `))
    if (shim === undefined) throw new Error(`${id} has no shim`)
    return shim[0]
  }

  /** Ends the container, whatever its state, and removes it. */
  async remove(id: string): Promise<void> {
    if ((await this.task(id)) !== undefined) await this.call(['task', 'delete', '--force', id])
    await this.ok(['container', 'delete', id])
  }

  /** Fails unless mounts, cgroups, processes and the runtime's directory of these containers go away. */
  async expectNothingLeft(...ids: string[]): Promise<void> {
    const directories = ids.map((id) => this.bundle(id))
    const left = (): string[] => leftovers({ ids, directories, root: this.runtimeRoot })
    await waitFor(() => left().length === 0, { timeoutMs: 5000 }).catch(() => {})
    expect(left()).toEqual([])
  }

  /** Removes every container, whatever state a failed test left it in, then everything else. */
  async close(): Promise<void> {
    const { stdout } = await this.call(['container', 'ls', '--quiet'])
    for (const id of stdout.split('\n').filter((line) => line !== ''))
      await this.call(['task', 'delete', '--force', id])
    await this.stopDaemon()
    const ours = (): number[] =>
      [...commandLines()]
        .filter(([, line]) => line.includes(this.directory))
        .map(([pid]) => pid)
        .filter(isAlive)
    await waitFor(() => ours().length === 0, { timeoutMs: 2000 }).catch(() => {
      for (const pid of ours()) process.kill(pid, 'SIGKILL')
    })
    for (const id of existsSync(this.runtimeRoot) ? readdirSync(this.runtimeRoot) : [])
      await execa(runtimePath, ['--root', this.runtimeRoot, 'delete', '--force', id], {
        reject: false,
        timeout: 10_000,
      })
    await removeCgroups(Object.values(cgroupMounts()).map((mount) => join(mount, this.cgroupParent)))
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    for (const point of mounts.map((line) => line.split(' ')[4] ?? '').reverse())
      if (point.startsWith(`${this.directory}/`)) await execa('umount', ['--lazy', point])
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** A `ctr events` that listens from start() to stop(). */
  readonly events = new Events(() => [findProgram('ctr'), ...this.#global(), 'events'])

  #global(): string[] {
    return ['--address', this.socket, '--namespace', this.namespace]
  }

  #logPath(id: string): string {
    return join(this.directory, `${id}.log`)
  }
}

class Events {
  #lines = ''
  #listener: ChildProcess | undefined

  constructor(private readonly command: () => string[]) {}

  start(): void {
    const [program = '', ...args] = this.command()
    this.#listener = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#listener.stdout?.on('data', (data: Buffer) => {
      this.#lines += data.toString()
    })
  }

  /** `/tasks/create` and so on: what has been told of the tasks of a container. */
  topics(id: string): string[] {
    const lines = this.#lines.split('\n').filter((line) => line.includes(`"container_id":"${id}"`))
    return lines.map((line) => / (\/tasks\/\S+) /.exec(line)?.[1] ?? '').filter((topic) => topic !== '')
  }

  stop(): void {
    this.#listener?.kill('SIGKILL')
  }
}

/** `containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1` */
function versionOf(program: string): string {
  return / v?(\d+\.\d+)\./.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? ''
}

/** Call once at the top of a test file. */
export function useContainerd(): Containerd {
  const containerd = new Containerd()
  beforeAll(() => containerd.open())
  afterAll(() => containerd.close())
  return containerd
}
