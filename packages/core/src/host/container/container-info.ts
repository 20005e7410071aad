/** Facts about one container, written by `create` into its runtime directory and never changed afterwards. */

import { ErrNotExist } from '../../errors/container-errors.ts'
import { fileExists, lstat, writeFile } from '../../sys/files.ts'
import {
  type ContainerFacts,
  type InitFacts,
  readContainerFacts,
  readInitFacts,
  SCHEMA_VERSION,
} from './container-facts.ts'
import { createPidFile, decodePresentJSON, encodeFileJSON } from './json-file.ts'
import { checkRuntimeRoot, makeRuntimeDirectory, removeRuntimeDirectory } from './runtime-directory.ts'

export type { ContainerFacts, InitFacts } from './container-facts.ts'

export class ContainerInfo {
  /** Undefined until `load` or `create`. */
  facts: ContainerFacts | undefined
  /** Undefined until `publishInit`. */
  #published: InitFacts | undefined

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

  /**
   * Takes the id: the runtime directory (0700) appears with container.json and `others`, contents by file name. Throws
   * ErrExist when the id is taken.
   */
  create(facts: ContainerFacts, others: Readonly<Record<string, string | Uint8Array>> = {}): void {
    const { runtimeRoot: root, containerId: id } = this
    const files = { 'container.json': `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...facts })}\n`, ...others }
    makeRuntimeDirectory({ root, id, creator: facts.creator }, (directory) => {
      for (const [name, content] of Object.entries(files)) writeFile(`${directory}/${name}`, content, { mode: 0o600 })
    })
    this.facts = facts
  }

  /** Removes the runtime directory; the id is free again. */
  remove(): void {
    removeRuntimeDirectory(this.runtimeRoot, this.containerId)
  }

  /** Reads container.json. Throws ErrNotExist, or RuntimeError `io` when it is damaged or not ours to read. */
  load(): ContainerFacts {
    const { runtimeRoot: root, containerId: id } = this
    const path = this.runtimePath('container.json')
    const value = decodePresentJSON(path)
    if (value === undefined) {
      checkRuntimeRoot(root)
      throw new ErrNotExist(id, isDirectory(this.runtimePath()) ? `${path} is missing` : undefined)
    }
    this.facts = readContainerFacts(value, { path, id, root })
    return this.facts
  }

  /** Publishes the init process: from here on the container is created. */
  publishInit(facts: InitFacts): void {
    encodeFileJSON(this.runtimePath('init.json'), facts)
    this.#published = facts
  }

  /** False when create ended before anything could be in the container's cgroup: liblxc reads its config first of all. */
  hasLaunched(): boolean {
    return fileExists(this.configFilePath())
  }

  /** Undefined while create has not got so far. */
  loadInit(): InitFacts | undefined {
    const path = this.runtimePath('init.json')
    const value = decodePresentJSON(path)
    return value === undefined ? undefined : readInitFacts(value, path)
  }

  /** Init's pid; 0 before it exists. Of the container that this one has made, if it has: the id may be another's by now. */
  pid(): number {
    return (this.#published ?? this.loadInit())?.init.pid ?? 0
  }

  /** Writes `pid` to the pid file that the caller asked for, if any. */
  createPidFile(pid: number): void {
    if (this.facts?.pidFile !== undefined) createPidFile(this.facts.pidFile, pid)
  }
}

function isDirectory(path: string): boolean {
  try {
    return lstat(path).isDirectory()
  } catch {
    return false
  }
}
