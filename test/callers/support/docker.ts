/**
 * A dockerd of its own, with a containerd that it starts itself: images, state, sockets and cgroup parent lie in a
 * temporary directory, the image is made of Debian's static busybox, and nothing of the machine's own configuration is
 * read. It makes no bridge and no rules of a firewall unless a test asks for them. What its shims keep in
 * /run/containerd, a path that is compiled in, is removed when empty.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect } from 'vitest'
import { temporaryDirectory } from '../../support/bundle.ts'
import { leftovers } from '../../support/leftovers.ts'
import { cgroupMounts, commandLines, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { onTerminal, type TerminalSession, type TerminalSize } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'
import { findProgram } from './find-program.ts'
import { rootfsArchive } from './image-archive.ts'
import { removeCgroups } from './remove-cgroups.ts'

export interface DockerResult {
  readonly exitCode: number | undefined
  /** Without the final newline, as is stderr. */
  readonly stdout: string
  readonly stderr: string
}

/** What `docker inspect` says about a container's process. */
export interface DockerState {
  readonly Status: string
  readonly Running: boolean
  readonly Paused: boolean
  readonly OOMKilled: boolean
  readonly Pid: number
  readonly ExitCode: number
  readonly Error: string
  readonly Health?: { readonly Status: string }
}

export interface DaemonOptions {
  /** Flags of dockerd. */
  readonly flags?: readonly string[]
  /** A command that becomes dockerd. */
  readonly through?: readonly string[]
  /** `--bridge none` without. */
  readonly bridge?: boolean
  /** The runtime is declared in daemon.json, which dockerd then reads again when told to; else by flags. */
  readonly inFile?: boolean
}

export class Docker {
  /** Everything below here is removed by close(); 0755, as a user of a container must pass. */
  readonly directory: string = temporaryDirectory('crio-lxc-docker-')
  readonly image = 'callers-busybox'
  /** Parent of every container's cgroup, as in /proc/PID/cgroup. */
  readonly cgroupParent: string = `/callers${process.pid}${Date.now().toString(36)}`
  readonly #socket: string = join(this.directory, 'docker.sock')
  readonly #options: DaemonOptions
  #daemon: ChildProcess | undefined
  #counter = 0

  constructor(options: DaemonOptions = {}) {
    this.#options = options
    chmodSync(this.directory, 0o755)
  }

  /** Starts it and imports the image. */
  async open(): Promise<void> {
    this.configure({})
    await this.startDaemon()
    await this.ok(['import', '--change', 'ENV FROM=image', await rootfsArchive(this.directory), this.image])
  }

  /** Writes daemon.json, with these runtimes beside the one under test where that is declared there. */
  configure(runtimes: Readonly<Record<string, object>>): void {
    const declared = { runtimes: { tested: { path: runtimePath }, ...runtimes }, 'default-runtime': 'tested' }
    writeFileSync(join(this.directory, 'daemon.json'), JSON.stringify(this.#options.inFile === true ? declared : {}))
  }

  async startDaemon(): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a')
    const { through = [] } = this.#options
    const [command = '', ...args] = [...through, findProgram('dockerd'), ...this.#daemonFlags()]
    const daemon = spawn(command, args, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    this.#daemon = daemon
    await waitFor(
      () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd exited ${daemon.exitCode}: ${this.log()}`)
        return this.call(['version']).then(({ exitCode }) => exitCode === 0)
      },
      { timeoutMs: 30_000, what: 'dockerd to answer' },
    )
  }

  #daemonFlags(): string[] {
    const { flags = [], bridge = false, inFile = false } = this.#options
    const declared = ['--add-runtime', `tested=${runtimePath}`, '--default-runtime', 'tested']
    const path = (name: string): string => join(this.directory, name)
    return [
      ...['--config-file', path('daemon.json'), '--data-root', path('data'), '--exec-root', path('exec')],
      ...['--pidfile', path('dockerd.pid'), '--host', `unix://${this.#socket}`, '--log-level', 'warn'],
      ...['--storage-driver', 'vfs', '--iptables=false', '--ip6tables=false', ...(bridge ? [] : ['--bridge', 'none'])],
      ...(inFile ? [] : declared),
      ...['--cgroup-parent', this.cgroupParent, ...flags],
    ]
  }

  get isRunning(): boolean {
    return this.#daemon !== undefined
  }

  /** Ends dockerd; with --live-restore its containers go on. */
  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    daemon.kill(signal)
    const ended = (): boolean => daemon.exitCode !== null || daemon.signalCode !== null
    await waitFor(ended, { timeoutMs: 20_000, what: 'dockerd to end' })
  }

  /** Has it read daemon.json again. */
  reloadDaemon(): void {
    this.#daemon?.kill('SIGHUP')
  }

  /** What dockerd, containerd and the shims have said. */
  log(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8')
  }

  /** A container name that no other test of this file has. */
  name(): string {
    return `callers-${this.#counter++}`
  }

  /** A fresh directory of the host. */
  hostDirectory(): string {
    const path = join(this.directory, `host-${this.#counter++}`)
    mkdirSync(path, { mode: 0o777 })
    return path
  }

  /** Any docker command; never throws on a failure of it. */
  async call(args: readonly string[], options: { input?: string } = {}): Promise<DockerResult> {
    const { exitCode, stdout, stderr } = await execa(findProgram('docker'), args, {
      env: this.#environment(),
      extendEnv: false,
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
    expect(result, `docker ${args.join(' ')}: ${result.stderr}`).toMatchObject({ exitCode: 0 })
    return result.stdout
  }

  /** `docker run --rm FLAGS IMAGE COMMAND` in the foreground. */
  run(flags: readonly string[], command: readonly string[], options: { input?: string } = {}): Promise<DockerResult> {
    return this.call(['run', '--rm', ...flags, this.image, ...command], options)
  }

  /** The same, failing the test unless it exits 0; its stdout. */
  async output(flags: readonly string[], command: readonly string[]): Promise<string> {
    return this.ok(['run', '--rm', ...flags, this.image, ...command])
  }

  /** `docker run --detach`, then the name of the container, which stays until it is removed. */
  async detached(flags: readonly string[], command: readonly string[]): Promise<string> {
    const name = this.name()
    await this.ok(['run', '--detach', '--name', name, ...flags, this.image, ...command])
    return name
  }

  /** `docker exec` in the foreground. */
  exec(name: string, command: readonly string[], flags: readonly string[] = []): Promise<DockerResult> {
    return this.call(['exec', ...flags, name, ...command])
  }

  /** A docker command on a real terminal. */
  onTerminal(args: readonly string[], size?: TerminalSize): TerminalSession {
    return onTerminal([findProgram('docker'), ...args], { env: this.#environment(), ...(size && { size }) })
  }

  async inspect<T>(name: string, field: string): Promise<T> {
    return JSON.parse(await this.ok(['inspect', '--format', `{{json ${field}}}`, name])) as T
  }

  state(name: string): Promise<DockerState> {
    return this.inspect<DockerState>(name, '.State')
  }

  async pid(name: string): Promise<number> {
    return (await this.state(name)).Pid
  }

  async waitForStatus(name: string, status: string): Promise<void> {
    await waitFor(async () => (await this.state(name)).Status === status, { what: `${name} to be ${status}` })
  }

  /** Waits until the container has written this to its log. */
  async waitForLog(name: string, text: string): Promise<void> {
    await waitFor(async () => (await this.ok(['logs', name])).includes(text), { what: `${name} to log ${text}` })
  }

  /** `docker rm --force`; then nothing may be left of it. */
  async remove(...names: string[]): Promise<void> {
    const ids = await Promise.all(names.map((name) => this.inspect<string>(name, '.Id')))
    await this.ok(['rm', '--force', '--volumes', ...names])
    await this.expectNothingLeft(...ids)
  }

  /** Fails unless mounts, cgroups, processes and the runtime's directory of these containers go away. */
  async expectNothingLeft(...ids: string[]): Promise<void> {
    const left = (): string[] => leftovers({ ids, directories: ids, root: this.runtimeRoot })
    await waitFor(() => left().length === 0, { timeoutMs: 5000 }).catch(() => {})
    expect(left()).toEqual([])
  }

  /** What shims give the runtime as --root, whatever its name. */
  get runtimeRoot(): string {
    return join(this.directory, 'exec/runtime-runc/moby')
  }

  /** Removes every container, whatever state a failed test left it in, then everything else. */
  async close(): Promise<void> {
    const { stdout } = await this.call(['ps', '--all', '--quiet', '--no-trunc'])
    const ids = stdout.split('\n').filter((line) => line !== '')
    for (const id of ids) await this.call(['rm', '--force', id])
    await this.stopDaemon()
    const ours = (): number[] =>
      [...commandLines()]
        .filter(([, line]) => line.includes(this.directory))
        .map(([pid]) => pid)
        .filter(isAlive)
    await waitFor(() => ours().length === 0, { timeoutMs: 5000 }).catch(() => {
      for (const pid of ours()) process.kill(pid, 'SIGKILL')
    })
    await removeCgroups(Object.values(cgroupMounts()).map((mount) => join(mount, this.cgroupParent)))
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    for (const point of mounts.map((line) => line.split(' ')[4] ?? '').reverse())
      if (point.startsWith(`${this.directory}/`)) await execa('umount', ['--lazy', point])
    rmSync(this.directory, { recursive: true, force: true })
  }

  #environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: this.directory,
      DOCKER_HOST: `unix://${this.#socket}`,
      // The builder that has the containers of RUN made by dockerd; BuildKit's calls runc itself.
      DOCKER_BUILDKIT: '0',
      TERM: 'xterm',
    }
  }
}

/** Call once at the top of a test file. */
export function useDocker(options?: DaemonOptions): Docker {
  const docker = new Docker(options)
  if (requires('docker')) {
    beforeAll(() => docker.open())
    afterAll(() => docker.close())
  } else afterAll(() => rmSync(docker.directory, { recursive: true }))
  return docker
}
