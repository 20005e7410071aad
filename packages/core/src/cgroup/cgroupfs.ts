/** The container's cgroup in every hierarchy: made, limited, listed and removed through the filesystem. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { O_PATH, O_WRONLY } from '../abi/constants.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../errors/system-error.ts'
import type { CgroupLayout, Hierarchy } from './plan/cgroup-layout.ts'
import { membershipHierarchy } from './plan/cgroup-layout.ts'
import type { OpenCgroup } from './plan/join-cgroup.ts'

/** The container's cgroup directories, one for each hierarchy. */
export function cgroupDirectories({ hierarchies }: CgroupLayout, path: string): string[] {
  return hierarchies.map(({ mountPoint }) => mountPoint + path)
}

/**
 * The directories that `makeCgroup` will make, parents first: recorded before they exist, so that a delete after a
 * crash finds all of them.
 */
export function missingDirectories({ hierarchies }: CgroupLayout, path: string): string[] {
  const parts = path.slice(1).split('/')
  return hierarchies.flatMap(({ mountPoint }) =>
    parts.map((_, depth) => `${mountPoint}/${parts.slice(0, depth + 1).join('/')}`).filter((dir) => !existsSync(dir)),
  )
}

/** Makes `path` in every hierarchy, where it does not exist yet. */
export function makeCgroup(layout: CgroupLayout, path: string): void {
  for (const hierarchy of layout.hierarchies) makeDirectories(hierarchy, path)
  const [unified] = layout.hierarchies
  if (layout.mode === 'v2' && unified) offerControllers(unified, path)
}

/**
 * Hands every controller down to the cgroup, as runc does: whoever measures the container reads their files, and a
 * container that divides its cgroup needs them. What cannot be handed down is an error only when a limit asks for it.
 */
function offerControllers({ mountPoint }: Hierarchy, path: string): void {
  for (const directory of ancestors(mountPoint, path)) {
    const [available, enabled] = ['cgroup.controllers', 'cgroup.subtree_control'].map((file) =>
      readFileSync(`${directory}/${file}`, 'utf8').split(/\s+/).filter(Boolean),
    ) as [string[], string[]]
    const missing = available.filter((controller) => !enabled.includes(controller))
    if (missing.length === 0) continue
    const file = `${directory}/cgroup.subtree_control`
    try {
      writeFileSync(file, missing.map((controller) => `+${controller}`).join(' '))
    } catch {
      // All or nothing: one that is refused, such as cpu beside realtime processes, must not keep the others away.
      for (const controller of missing) {
        try {
          writeFileSync(file, `+${controller}`)
        } catch {
          // Reported by enableController when it is needed.
        }
      }
    }
  }
}

/** The directories above the cgroup `path`, the root first. */
export function ancestors(mountPoint: string, path: string): string[] {
  const parts = path.slice(1).split('/')
  return parts.map((_, depth) => [mountPoint, ...parts.slice(0, depth)].join('/'))
}

function makeDirectories({ mountPoint, version, controllers }: Hierarchy, path: string): void {
  const parts = path.slice(1).split('/')
  for (let depth = 1; depth <= parts.length; depth++) {
    const directory = `${mountPoint}/${parts.slice(0, depth).join('/')}`
    try {
      mkdirSync(directory, 0o755)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue
      throw new RuntimeError('cgroup', `create cgroup ${directory}: ${reasonOf(error)}`, { cause: error })
    }
  }
  if (version === 1 && controllers.includes('cpuset'))
    for (const file of ['cpuset.cpus', 'cpuset.mems']) inheritCpuset(mountPoint, path, file)
}

/**
 * A v1 cpuset takes no process until it has cpus and memory nodes, and is made without: it gets those of the nearest
 * cgroup above it that has some, as do those between, whoever made them. Returns what it has.
 */
function inheritCpuset(mountPoint: string, path: string, file: string): string {
  const own = readFileSync(`${mountPoint}${path}/${file}`, 'utf8').trim()
  if (own !== '' || path === '') return own
  const inherited = inheritCpuset(mountPoint, path.slice(0, path.lastIndexOf('/')), file)
  writeFileSync(`${mountPoint}${path}/${file}`, inherited)
  return inherited
}

/** Without O_CREAT, so that a file that the kernel does not have is ENOENT and not EACCES or EPERM. */
export function writeExisting(file: string, value: string): void {
  const fd = openSync(file, O_WRONLY)
  try {
    writeSync(fd, value)
  } finally {
    closeSync(fd)
  }
}

export interface OpenCgroupOptions {
  /** Files like `tasks` of v1, of groups that are no cgroups and are joined with it. */
  readonly others?: readonly string[] | undefined
  /** The path in a hierarchy where the cgroup is gone. */
  readonly instead?: ((hierarchy: Hierarchy) => string) | undefined
}

/** Opens the cgroup in every hierarchy, `path` or where it says: whoever inherits the fds can join it. */
export function openCgroup(
  { hierarchies }: CgroupLayout,
  path: string | ((hierarchy: Hierarchy) => string),
  { others = [], instead }: OpenCgroupOptions = {},
): OpenCgroup & { readonly fds: number[] } {
  const fds: number[] = []
  const tasks: number[] = []
  let unified: number | undefined
  const open = (file: string, flags: number, second?: () => string): number => {
    try {
      const fd = openSync(file, flags)
      fds.push(fd)
      return fd
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && second) return open(second(), flags)
      for (const fd of fds) closeSync(fd)
      throw new RuntimeError('cgroup', `open ${file}: ${reasonOf(error)}`, { cause: error })
    }
  }
  for (const hierarchy of hierarchies) {
    const { mountPoint, version } = hierarchy
    const [flags, file] = version === 1 ? [O_WRONLY, '/tasks'] : [O_PATH, '']
    const second = instead && (() => mountPoint + instead(hierarchy) + file)
    const fd = open(mountPoint + (typeof path === 'string' ? path : path(hierarchy)) + file, flags, second)
    if (version === 1) tasks.push(fd)
    else unified = fd
  }
  for (const file of others) tasks.push(open(file, O_WRONLY))
  return { tasks, unified, fds }
}

/** Pids of the processes in the cgroup and below it, as the host knows them. */
export function listProcesses(layout: CgroupLayout, path: string): number[] {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return []
  return subtree(hierarchy.mountPoint + path).flatMap(readProcs)
}

/**
 * Removes the cgroup with everything below it in every hierarchy; false while a process still leaves it. What is
 * already gone is no error.
 */
export function removeCgroup(layout: CgroupLayout, path: string): boolean {
  let empty = true
  for (const directory of cgroupDirectories(layout, path)) empty = removeTree(directory) && empty
  return empty
}

/** Removes directories that create made, children first, as far as nobody else uses them. */
export function removeDirectories(directories: readonly string[]): void {
  for (const directory of directories.toReversed()) removeDirectory(directory)
}

/** Most often there is nothing below, and rmdir(2) then says more than a look would. */
function removeTree(directory: string): boolean {
  if (removeDirectory(directory)) return true
  const [, ...children] = subtree(directory)
  return [...children.reverse(), directory].map(removeDirectory).every(Boolean)
}

function removeDirectory(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return true
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false
    throw new RuntimeError('cgroup', `remove cgroup ${directory}: ${reasonOf(error)}`, { cause: error })
  }
}

/** `directory` and all below it, parents first; empty when it does not exist. */
function subtree(directory: string): string[] {
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [directory, ...children.flatMap(({ name }) => subtree(`${directory}/${name}`))]
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Pids in the cgroup itself; none when it does not exist. */
export function readProcs(directory: string): number[] {
  try {
    return readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number)
  } catch (error) {
    // ENODEV: the cgroup was removed between open and read. EOPNOTSUPP: a threaded one has no processes of its own.
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'].includes(codeOf(error) ?? '')) return []
    throw error
  }
}
