/**
 * A cgroup with all below it, which whoever may write there shapes as he likes: any depth, any number, any bytes for
 * names, and other ones by the time that they are looked at.
 */

import { decode } from '../../abi/bytes.ts'
import { O_RDONLY, O_WRONLY } from '../../abi/constants.ts'
import type { Errno } from '../../abi/errno.ts'
import { SyscallError } from '../../errors/syscall-error.ts'
import { codeOf } from '../../errors/system-error.ts'
import { openBelow, openDirectoryBelow, removeDirectoryBelow, subdirectories } from '../../sys/directory.ts'
import { close, type Fd, readToEnd, writeAll } from '../../sys/fd.ts'
import { openFile, stat, unlessMissing } from '../../sys/files.ts'

/** What is done in the directory of each cgroup; the fds are the walk's. */
export interface Visitor {
  /** On the way down, parents first. */
  readonly enter?: (directory: number) => void
  /** On the way up: all below `name` has been visited. Never called for the cgroup that the walk began at. */
  readonly leave?: (parent: number, name: string) => void
}

/** In one walk: whoever makes them faster than they are looked at would hold the runtime for ever. */
const MOST_CGROUPS = 100_000

/** Whether there are cgroups below: a directory of a cgroup has a link for each (inode(7)). False when it does not exist. */
export function hasChildren(directory: string): boolean {
  const own = 2
  return (unlessMissing(() => stat(directory))?.nlink ?? own) > own
}

/**
 * Visits the cgroup at the path `directory` and those below it, with one fd at a time: a cgroup is not moved to another
 * parent, so that ".." leads back. What is removed meanwhile is left out. Does nothing when there is no such cgroup.
 * Returns false when there are too many.
 */
export function walkCgroups(directory: string, { enter, leave }: Visitor): boolean {
  let current: Fd
  try {
    current = openFile(directory, O_RDONLY)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    throw error
  }
  const step = (name: string): true => {
    const next = openDirectoryBelow(current, name)
    close(current)
    current = next
    return true
  }
  try {
    const path: string[] = []
    const waiting: string[][] = []
    let visited = 0
    const arrive = (): void => {
      visited++
      enter?.(current)
      waiting.push(unlessGone(() => subdirectories(current)) ?? [])
    }
    arrive()
    for (let names = waiting.at(-1); names !== undefined; names = waiting.at(-1)) {
      if (visited > MOST_CGROUPS) return false
      const name = names.pop()
      if (name === undefined) {
        waiting.pop()
        const left = path.pop()
        if (left === undefined) continue
        step('..')
        leave?.(current, left)
      } else if (unlessGone(() => step(name))) {
        path.push(name)
        arrive()
      }
    }
    return true
  } finally {
    close(current)
  }
}

/** Removes what is below the cgroup at the path `directory` as far as no process is there; of too many, the first. */
export function removeBelow(directory: string): void {
  walkCgroups(directory, {
    leave(parent, name) {
      try {
        removeDirectoryBelow(parent, name)
      } catch (error) {
        // EBUSY: a process, or a cgroup that was made meanwhile.
        if (!isErrno(error, 'ENOENT', 'EBUSY', 'ENOTEMPTY')) throw error
      }
    },
  })
}

/** The content of a file of the cgroup behind `directory`. Throws SyscallError. */
export function readBelow(directory: number, file: string): string {
  const fd = openBelow(directory, file, O_RDONLY)
  try {
    return decode(readToEnd(fd))
  } finally {
    close(fd)
  }
}

/** Writes to a file of the cgroup behind `directory`; the same errors. */
export function writeBelow(directory: number, file: string, value: string): void {
  const fd = openBelow(directory, file, O_WRONLY)
  try {
    writeAll(fd, value)
  } finally {
    close(fd)
  }
}

/** undefined when the cgroup is removed meanwhile. */
function unlessGone<T>(task: () => T): T | undefined {
  try {
    return task()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return undefined
    throw error
  }
}

function isErrno(error: unknown, ...names: readonly Errno[]): boolean {
  return error instanceof SyscallError && (names as readonly string[]).includes(error.errnoName)
}
