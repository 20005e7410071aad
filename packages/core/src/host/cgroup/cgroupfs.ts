/** The container's cgroup in every hierarchy: made, limited and removed through the filesystem. */

import { O_PATH, O_WRONLY } from '../../abi/constants.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import type { OpenCgroup } from '../../plan/join-cgroup.ts'
import { close, type Fd, write } from '../../sys/fd.ts'
import type { FdScope } from '../../sys/fd-scope.ts'
import { fileExists, openFile, readText, removeDirectory, writeFile } from '../../sys/files.ts'
import { makeDirectoryUnlessThere } from '../../sys/if-there.ts'
import { hasChildren, removeBelow } from './cgroup-tree.ts'
import { type CgroupLayout, claimOrder, type Hierarchy } from './plan/cgroup-layout.ts'
import { offerControllers, subtreeControls, withdrawControllers } from './subtree-control.ts'

/** The container's cgroup directories, one for each hierarchy, in the order of claims. */
export function cgroupDirectories(layout: CgroupLayout, path: string): string[] {
  return claimOrder(layout).map(({ mountPoint }) => mountPoint + path)
}

/**
 * The directories that `makeCgroup` will make, parents first: recorded before they exist, so that a delete after a
 * crash finds all of them.
 */
export function missingDirectories({ hierarchies }: CgroupLayout, path: string): string[] {
  const parts = path.slice(1).split('/')
  return hierarchies.flatMap(({ mountPoint }) =>
    parts.map((_, depth) => `${mountPoint}/${parts.slice(0, depth + 1).join('/')}`).filter((dir) => !fileExists(dir)),
  )
}

/** What makes a cgroup one's own. */
export interface Occupation {
  /** Called with each of its directories as soon as that exists, until it returns true. */
  readonly claim: (directory: string) => boolean
  /** Called when all of them exist. */
  readonly check: () => void
}

/**
 * Makes `path` in every hierarchy, where it does not exist yet. Returns what takes back the controllers that the cgroups above
 * have handed down since, once the cgroup is removed. Throws RuntimeError `cgroup`, and what `occupation` throws.
 */
export function makeCgroup(layout: CgroupLayout, path: string, occupation?: Occupation): () => void {
  const [first] = layout.hierarchies
  if (!first) return () => undefined
  const before = layout.mode === 'v2' ? subtreeControls(first, path) : undefined
  let claim = occupation?.claim
  for (const hierarchy of claimOrder(layout)) {
    const directory = hierarchy.mountPoint + path
    let isClaimed: boolean | undefined
    // What a delete has removed since has no file to claim it by, and is made again.
    do {
      makeDirectories(hierarchy, path)
      isClaimed = claim?.(directory)
    } while (isClaimed === false && !fileExists(directory))
    if (isClaimed) claim = undefined
  }
  occupation?.check()
  if (!before) return () => undefined
  offerControllers(first, path, before)
  return () => withdrawControllers(before)
}

/** How often the cgroups above one may go while it is made: a delete removes those that its create had made. */
const MOST_ATTEMPTS = 100

function makeDirectories(hierarchy: Hierarchy, path: string): void {
  const { mountPoint, version, controllers } = hierarchy
  for (let attempts = 1; ; attempts++) {
    const failure = makeOneByOne(mountPoint, path)
    if (!failure) break
    const { directory, cause } = failure
    if (codeOf(cause) !== 'ENOENT' || attempts === MOST_ATTEMPTS)
      throw new RuntimeError('cgroup', `create cgroup ${directory}: ${reasonOf(cause)}`, { cause })
  }
  if (version === 2) checkDomain(mountPoint + path)
  if (version === 1 && controllers.includes('cpuset'))
    for (const file of ['cpuset.cpus', 'cpuset.mems']) inheritCpuset(mountPoint, path, file)
}

function makeOneByOne(mountPoint: string, path: string): { directory: string; cause: unknown } | undefined {
  const parts = path.slice(1).split('/')
  for (let depth = 1; depth <= parts.length; depth++) {
    const directory = `${mountPoint}/${parts.slice(0, depth).join('/')}`
    try {
      makeDirectoryUnlessThere(directory, 0o755)
    } catch (cause) {
      return { directory, cause }
    }
  }
  return undefined
}

/** cgroup-v2.rst, "Threads": below a cgroup that is divided by threads one takes none of the processes that it begins with. */
function checkDomain(directory: string): void {
  if (readText(`${directory}/cgroup.type`).trim() !== 'domain invalid') return
  throw new RuntimeError(
    'cgroup',
    `create cgroup ${directory}: the one above it is threaded, so that no process can be below: choose another linux.cgroupsPath`,
  )
}

/**
 * A v1 cpuset takes no process until it has cpus and memory nodes, and is made without: it gets those of the nearest
 * cgroup above it that has some, as do those between, whoever made them. Returns what it has.
 */
function inheritCpuset(mountPoint: string, path: string, file: string): string {
  const own = readText(`${mountPoint}${path}/${file}`).trim()
  if (own !== '' || path === '') return own
  const inherited = inheritCpuset(mountPoint, path.slice(0, path.lastIndexOf('/')), file)
  writeFile(`${mountPoint}${path}/${file}`, inherited)
  return inherited
}

/** Without O_CREAT, so that a file that the kernel does not have is ENOENT and not EACCES or EPERM. */
export function writeExisting(file: string, value: string): void {
  const fd = openFile(file, O_WRONLY)
  try {
    write(fd, value)
  } finally {
    close(fd)
  }
}

export interface OpenCgroupOptions {
  /** Files like `tasks` of v1, of groups that are no cgroups and are joined with it. */
  readonly others?: readonly string[] | undefined
  /** The path in a hierarchy where the cgroup is gone. */
  readonly instead?: ((hierarchy: Hierarchy) => string) | undefined
}

/** Opens the cgroup in every hierarchy, `path` or where it says, for `fds`: whoever inherits them can join it. */
export function openCgroup(
  { hierarchies }: CgroupLayout,
  path: string | ((hierarchy: Hierarchy) => string),
  { others = [], instead }: OpenCgroupOptions,
  fds: FdScope,
): OpenCgroup & { readonly fds: readonly Fd[] } {
  const opened: Fd[] = []
  const tasks: number[] = []
  let unified: number | undefined
  const open = (file: string, flags: number, second?: () => string): Fd => {
    try {
      const fd = fds.keep(openFile(file, flags))
      opened.push(fd)
      return fd
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && second) return open(second(), flags)
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
  return { tasks, unified, fds: opened }
}

/**
 * Removes the cgroup with everything below it in every hierarchy; false while a process still leaves it. What is
 * already gone is no error.
 */
export function removeCgroup(layout: CgroupLayout, path: string): boolean {
  const [claimed, ...others] = cgroupDirectories(layout, path)
  let empty = true
  for (const directory of others) empty = removeTree(directory) && empty
  return empty && (claimed === undefined || removeTree(claimed))
}

/** Removes directories that create made, children first, as far as nobody else uses them. */
export function removeDirectories(directories: readonly string[]): void {
  for (const directory of directories.toReversed()) removeOne(directory)
}

/** Most often there is nothing below, and rmdir(2) then says more than a look would. */
function removeTree(directory: string): boolean {
  if (removeOne(directory)) return true
  if (!hasChildren(directory)) return false
  removeBelow(directory)
  return removeOne(directory)
}

function removeOne(directory: string): boolean {
  try {
    removeDirectory(directory)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return true
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false
    throw new RuntimeError('cgroup', `remove cgroup ${directory}: ${reasonOf(error)}`, { cause: error })
  }
}
