/** Facts about one container, written by `create` into its runtime directory and never changed afterwards. */
import { mkdirSync, statSync } from 'node:fs'
import type { SystemdUnits } from '../cgroup/cgroup-manager.ts'
import { ErrExist, ErrNotExist } from '../errors/container-errors.ts'
import { messageOf, RuntimeError } from '../errors/runtime-error.ts'
import type { Namespace } from '../oci/linux.ts'
import type { Hooks } from '../oci/spec.ts'
import type { ProcessIdentity } from '../process/proc.ts'
import { createPidFile, decodeFileJSON, encodeFileJSON } from './json-file.ts'

/** What container.json holds. */
export interface ContainerFacts {
  readonly containerId: string
  /** RFC 3339, UTC. */
  readonly createdAt: string
  readonly runtimeRoot: string
  readonly bundlePath: string
  readonly consoleSocket?: string
  /** Absolute path of the pid file; absent when the caller wanted none. */
  readonly pidFile?: string
  /** Where a resident monitor lives, below every hierarchy. */
  readonly monitorCgroupDir: string
  /** The container's cgroup, below every hierarchy. */
  readonly cgroupDir: string
  /** Absent: the runtime alone manages the container's cgroup. */
  readonly systemdUnits?: SystemdUnits
  readonly seccomp: boolean
  readonly capabilities: boolean
  readonly apparmor: boolean
  readonly cgroupDevices: boolean
  readonly annotations?: Readonly<Record<string, string>>
  readonly namespaces?: readonly Namespace[]
  /** Hooks of the verbs after create; absent when there are none. */
  readonly hooks?: Hooks
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** User name of who ran create. */
  readonly owner: string
  /** Version of the specification in config.json. */
  readonly ociVersion: string
  /** The create that makes the container: while it lives and there is no init, the container is being created. */
  readonly creator: ProcessIdentity
  /** Device and inode of crio-lxc-init: a process that runs it has not been started. */
  readonly initExecutable: string
  /** Cgroup directories that create made, parents first. */
  readonly madeCgroups: readonly string[]
}

/** What init.json holds; it appears when create has succeeded. */
export interface InitFacts {
  readonly init: ProcessIdentity
  /** liblxc's monitor, in resident mode. */
  readonly monitor?: ProcessIdentity
  /** Words of the steps that `start` lets init take, by their number in the plan. */
  readonly startSteps: Readonly<Record<string, string>>
  /** process.args[0], for the error of a failed start. */
  readonly command: string
  /** Who gets the listener of a seccomp filter that notifies. */
  readonly seccompAgent?: { readonly path: string; readonly metadata?: string }
  /** File in the container that says why its program was not executed. */
  readonly terminationMessagePath?: string
}

const SCHEMA_VERSION = 1

export class ContainerInfo {
  /** Undefined until `load` or `create`. */
  facts: ContainerFacts | undefined

  constructor(
    readonly runtimeRoot: string,
    readonly containerId: string,
  ) {}

  /** The absolute path of `subPath` in the container's runtime directory. */
  runtimePath(...subPath: string[]): string {
    return [this.runtimeRoot, this.containerId, ...subPath].join('/')
  }

  /** The liblxc config. */
  configFilePath(): string {
    return this.runtimePath('config')
  }

  /** Takes the id: makes the runtime directory (0700). Throws ErrExist when it is taken. */
  claim(): void {
    try {
      mkdirSync(this.runtimeRoot, { recursive: true, mode: 0o700 })
      mkdirSync(this.runtimePath(), { mode: 0o700 })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST' && isDirectory(this.runtimePath()))
        throw new ErrExist(this.containerId)
      throw new RuntimeError('io', `create the runtime directory ${this.runtimePath()}: ${messageOf(cause)}`, { cause })
    }
  }

  /** Writes container.json. */
  create(facts: ContainerFacts): void {
    this.facts = facts
    encodeFileJSON(this.runtimePath('container.json'), { schemaVersion: SCHEMA_VERSION, ...facts })
  }

  /** Reads container.json. Throws ErrNotExist, or RuntimeError `io` when the file is damaged or from the future. */
  load(): ContainerFacts {
    if (!isDirectory(this.runtimePath())) throw new ErrNotExist(this.containerId)
    const path = this.runtimePath('container.json')
    const facts = decodeFileJSON(path) as ContainerFacts & { schemaVersion: number }
    if (facts?.schemaVersion !== SCHEMA_VERSION || facts.containerId !== this.containerId)
      throw new RuntimeError('io', `decode ${path}: it is not of this version or container: delete it with --force`)
    this.facts = facts
    return facts
  }

  /** Publishes the init process: from here on the container is created. */
  publishInit(facts: InitFacts): void {
    encodeFileJSON(this.runtimePath('init.json'), facts)
  }

  /** Undefined while create has not got so far. */
  loadInit(): InitFacts | undefined {
    const path = this.runtimePath('init.json')
    return exists(path) ? (decodeFileJSON(path) as InitFacts) : undefined
  }

  /** Init's pid; 0 before it exists. */
  pid(): number {
    return this.loadInit()?.init.pid ?? 0
  }

  /** Writes `pid` to the pid file that the caller asked for, if any. */
  createPidFile(pid: number): void {
    if (this.facts?.pidFile !== undefined) createPidFile(this.facts.pidFile, pid)
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    // Whatever makes the path unreachable, ENOENT or ENOTDIR above all: no container is there.
    return false
  }
}
