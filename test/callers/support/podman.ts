/**
 * A podman of its own: image store, state, locks, events, cgroup parent and configuration lie in a temporary
 * directory, the image is made of Debian's static busybox, and nothing of the machine's own configuration is read.
 * Containers have no network unless a test asks for one. podman always uses the runtime's default --root.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect } from 'vitest'
import { temporaryDirectory } from '../../support/bundle.ts'
import { leftovers } from '../../support/leftovers.ts'
import { cgroupMounts, commandLines, isAlive } from '../../support/proc.ts'
import { isRunc, outputs, runtimePath } from '../../support/runtime.ts'
import { onTerminal, type TerminalSession, type TerminalSize } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'
import { conmonPath } from './conmon-process.ts'
import { findProgram } from './find-program.ts'
import { rootfsArchive } from './image-archive.ts'
import { removeCgroups } from './remove-cgroups.ts'

/** Where the runtime keeps its containers when nobody says --root. */
const defaultRoot = isRunc ? '/run/runc' : '/run/crio-lxc'

export interface PodmanResult {
  readonly exitCode: number | undefined
  /** Without the final newline, as is stderr. */
  readonly stdout: string
  readonly stderr: string
}

/** What `podman inspect` says about a container's process. */
export interface PodmanState {
  readonly Status: string
  readonly Running: boolean
  readonly Pid: number
  readonly ConmonPid: number
  readonly ExitCode: number
}

export interface CallOptions {
  readonly input?: string | Uint8Array
  readonly cwd?: string
  /** Added to podman's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** A command that becomes podman. */
  readonly through?: readonly string[]
}

export type CgroupManager = 'cgroupfs' | 'systemd'

export class Podman {
  /** Everything below here is removed by close(); 0755, as a user of a container must pass. */
  readonly directory: string = temporaryDirectory('crio-lxc-podman-')
  readonly image = 'callers-busybox'
  /** Parent of the cgroups of every container and pod, as in /proc/PID/cgroup. */
  readonly cgroupParent: string
  #counter = 0

  constructor(readonly cgroupManager: CgroupManager = 'cgroupfs') {
    const name = `callers${process.pid}${Date.now().toString(36)}`
    this.cgroupParent = cgroupManager === 'systemd' ? `${name}.slice` : `/${name}`
  }

  /** Imports the image. */
  async open(): Promise<void> {
    writeConfiguration(this.directory)
    await this.ok(['import', '--quiet', await rootfsArchive(this.directory), this.image])
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

  /** Unpacks a tar archive into a new directory. */
  async unpack(archive: string, directory: string): Promise<void> {
    mkdirSync(directory)
    await execa('tar', ['--extract', '--directory', directory, '--file', archive])
  }

  /** Writes a program that is this podman, with these options of its own, for scripts. */
  writeProgram(path: string, options: readonly string[]): void {
    const words = [podmanPath(), ...this.#arguments(options)].map((word) => `'${word}'`).join(' ')
    const variables = Object.entries(this.#environment()).map(([name, value]) => `export ${name}='${value}'`)
    writeFileSync(path, `#!/bin/sh\n${variables.join('\n')}\nexec ${words} "$@"\n`, { mode: 0o755 })
  }

  /** Any podman command; never throws on a failure of it. */
  async call(args: readonly string[], options: CallOptions = {}): Promise<PodmanResult> {
    const { input, through = [] } = options
    const [command = podmanPath(), ...rest] = [...through, podmanPath(), ...this.#arguments(args)]
    const { exitCode, stdout, stderr } = await execa(command, rest, {
      env: { ...this.#environment(), ...options.env },
      extendEnv: false,
      // conmon runs where podman does, and writes there that memory ran out.
      cwd: options.cwd ?? this.directory,
      reject: false,
      timeout: 50_000,
      killSignal: 'SIGKILL',
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
    })
    return { exitCode, stdout, stderr }
  }

  /** The same, failing the test unless it exits 0; its stdout. */
  async ok(args: readonly string[], options: { input?: string } = {}): Promise<string> {
    const result = await this.call(args, options)
    expect(result, `podman ${args.join(' ').slice(0, 300)}: ${result.stderr}`).toMatchObject({ exitCode: 0 })
    return result.stdout
  }

  /** `podman run --rm FLAGS IMAGE COMMAND` in the foreground. */
  run(flags: readonly string[], command: readonly string[], options: CallOptions = {}): Promise<PodmanResult> {
    return this.call(this.runArguments(['--rm', ...flags], command), options)
  }

  /** The same, failing the test unless it exits 0; its stdout. */
  async output(flags: readonly string[], command: readonly string[]): Promise<string> {
    return this.ok(this.runArguments(['--rm', ...flags], command))
  }

  /** `podman run -d`, then the name of the container, which stays until it is removed. */
  async detached(flags: readonly string[], command: readonly string[]): Promise<string> {
    const name = this.name()
    await this.ok(this.runArguments(['--detach', '--name', name, ...flags], command))
    return name
  }

  /** `podman run` with a private cgroup parent and, unless the flags say otherwise, no network. */
  runArguments(flags: readonly string[], command: readonly string[]): string[] {
    const network = flags.some((flag) => /^--(network|pod)\b/.test(flag)) ? [] : ['--network', 'none']
    const parent = flags.some((flag) => /^--(pod|cgroups)\b/.test(flag)) ? [] : ['--cgroup-parent', this.cgroupParent]
    return ['run', ...network, ...parent, ...flags, this.image, ...command]
  }

  /** A podman command on a real terminal. */
  onTerminal(args: readonly string[], size?: TerminalSize): TerminalSession {
    return onTerminal([podmanPath(), ...this.#arguments(args)], { env: this.#environment(), ...(size && { size }) })
  }

  /** The 64 digits of a container or pod. */
  async id(name: string): Promise<string> {
    return this.ok(['inspect', '--format', '{{.Id}}', name])
  }

  async state(name: string): Promise<PodmanState> {
    return JSON.parse(await this.ok(['container', 'inspect', '--format', '{{json .State}}', name])) as PodmanState
  }

  /** Waits until the container has written this to its log. */
  async waitForLog(name: string, text: string): Promise<void> {
    await waitFor(async () => (await this.ok(['logs', name])).includes(text), { what: `${name} to log ${text}` })
  }

  /** Fails unless mounts, cgroups, processes and the runtime's directory of these containers go away. */
  async expectNothingLeft(...ids: string[]): Promise<void> {
    const left = (): string[] =>
      leftovers({ ids: ids.flatMap((id) => [id, `libpod-${id}`]), directories: ids, root: defaultRoot })
    await waitFor(() => left().length === 0, { timeoutMs: 5000 }).catch(() => {})
    expect(left()).toEqual([])
  }

  /** Removes every container by force, whatever state a failed test left it in, then everything else. */
  async close(): Promise<void> {
    const listed = await this.call(['ps', '--all', '--quiet', '--no-trunc'])
    await this.call(['pod', 'rm', '--all', '--force', '--time', '0'])
    await this.call(['rm', '--all', '--force', '--time', '0'])
    for (const id of listed.stdout.split('\n').filter((line) => line !== ''))
      await execa(runtimePath, ['delete', '--force', id], { reject: false, timeout: 10_000 })
    await this.#endProcesses()
    await removeCgroups(Object.values(cgroupMounts()).map((mount) => join(mount, this.cgroupParent)))
    for (const point of mountsBelow(this.directory).reverse()) await execa('umount', ['--lazy', point])
    rmSync(this.directory, { recursive: true, force: true })
    const written = outputs()
    if (written !== undefined) rmSync(written, { recursive: true, force: true })
  }

  /** conmon and its clean-up podman name the directory in their command lines: waits for them, then ends them. */
  async #endProcesses(): Promise<void> {
    const ours = (): number[] =>
      [...commandLines()]
        .filter(([, line]) => line.includes(this.directory))
        .map(([pid]) => pid)
        .filter(isAlive)
    await waitFor(() => ours().length === 0, { timeoutMs: 5000 }).catch(() => {
      for (const pid of ours()) process.kill(pid, 'SIGKILL')
    })
  }

  #arguments(args: readonly string[]): string[] {
    const { directory } = this
    return [
      ...[
        '--root',
        join(directory, 'storage'),
        '--runroot',
        join(directory, 'run'),
        '--tmpdir',
        join(directory, 'tmp'),
      ],
      ...['--cgroup-manager', this.cgroupManager, '--events-backend', 'file', '--network-backend', 'netavark'],
      ...['--runtime', runtimePath, ...args],
    ]
  }

  #environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: this.directory,
      TMPDIR: this.directory,
      TERM: 'xterm',
      PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
      CONTAINERS_CONF: join(this.directory, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(this.directory, 'storage.conf'),
    }
  }
}

function podmanPath(): string {
  return findProgram('podman')
}

/** Call once at the top of a test file. */
export function usePodman(cgroupManager?: CgroupManager): Podman {
  const podman = new Podman(cgroupManager)
  beforeAll(() => podman.open())
  afterAll(() => podman.close())
  return podman
}

function writeConfiguration(directory: string): void {
  // podman asks for 1048576 open files and processes by default, which needs CAP_SYS_RESOURCE; it exchanges the soft and
  // the hard limit of a pod's infra container. With lock_type file it stays out of /dev/shm, which every podman of the
  // machine shares.
  writeFileSync(
    join(directory, 'containers.conf'),
    `[containers]
default_ulimits = ["nofile=2048:2048", "nproc=2048:2048"]
[network]
network_backend = "netavark"
network_config_dir = "${directory}/networks"
[engine]
lock_type = "file"
events_logger = "file"
runtime_supports_nocgroup = ["crio-lxc"]
conmon_path = ["${conmonPath()}"]
[engine.runtimes]
crio-lxc = ["${runtimePath}"]
`,
  )
  writeFileSync(
    join(directory, 'storage.conf'),
    `[storage]
driver = "overlay"
graphroot = "${directory}/storage"
runroot = "${directory}/run"
`,
  )
}

function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${directory}/`))
}
