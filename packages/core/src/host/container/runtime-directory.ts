/**
 * The runtime directory of a container, ROOT/ID: it appears with all that identifies the container, and disappears
 * whole, so that no crash and no race shows half of one. What is being made or removed has a name that no container can
 * have, `:PID-START`, of the process that is at it.
 */

import { ErrExist } from '../../errors/container-errors.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import {
  makeDirectories,
  makeDirectory,
  readDirectory,
  removeTree,
  rename,
  stat,
  unlessMissing,
} from '../../sys/files.ts'
import { ownPid } from '../../sys/program.ts'
import { cleanUp } from '../log/clean-up.ts'
import { identify, isAlive, type ProcessIdentity } from '../process/proc.ts'

/**
 * Makes ROOT/ID (0700) with what `fill` writes into the directory it is given. Throws ErrExist when the id is taken. An
 * empty directory in the way, which nothing of ours leaves, is replaced (rename(2)).
 */
export function makeRuntimeDirectory(
  { root, id, creator }: { readonly root: string; readonly id: string; readonly creator: ProcessIdentity },
  fill: (directory: string) => void,
): void {
  const path = `${root}/${id}`
  const unfinished = `${root}/${workName(creator)}`
  let made = false
  try {
    makeDirectories(root, 0o700)
    makeEmpty(unfinished)
    made = true
    fill(unfinished)
    rename(unfinished, path)
  } catch (cause) {
    if (made) cleanUp(cause, [() => removeAll(unfinished)])
    const code = codeOf(cause)
    if (code === 'EEXIST' || code === 'ENOTEMPTY') {
      // It says the same of a root that is a file.
      checkRuntimeRoot(root)
      throw new ErrExist(id)
    }
    if (cause instanceof RuntimeError && codeOf(cause) === undefined) throw cause
    throw new RuntimeError('io', `create the runtime directory ${path}: ${reasonOf(cause)}`, { cause })
  }
}

/** In the place of what an earlier process of the same pid and start has left. */
function makeEmpty(path: string): void {
  try {
    makeDirectory(path, 0o700)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    removeAll(path)
    makeDirectory(path, 0o700)
  }
}

/** Removes ROOT/ID; the id is free at once. */
export function removeRuntimeDirectory(root: string, id: string): void {
  const path = `${root}/${id}`
  const self = identify(ownPid())
  const doomed = self ? `${root}/${workName(self)}` : path
  try {
    if (doomed !== path) rename(path, doomed)
  } catch {
    // A full disk may have no room for another name.
    removeAll(path)
  }
  removeAll(doomed)
}

/** Throws RuntimeError `io` when `root` is there and is no directory: nobody can say what does not exist below it. */
export function checkRuntimeRoot(root: string): void {
  if (unlessMissing(() => stat(root))?.isDirectory() === false)
    throw new RuntimeError('io', `read the runtime root ${root}: not a directory`)
}

/** Removes what processes that were killed have left below ROOT. */
export function sweepRuntimeRoot(root: string): void {
  let names: string[]
  try {
    names = readDirectory(root)
  } catch {
    // There is no root, and so nothing in it.
    return
  }
  for (const name of names) {
    const [, pid, startTime] = /^\.?:(\d+)-(\d+)$/.exec(name) ?? []
    if (pid === undefined || isAlive({ pid: Number(pid), startTime: Number(startTime) })) continue
    removeAll(`${root}/${name}`)
  }
}

/** What a process calls its unfinished work below ROOT: a directory, or with a dot before it a file. */
export function workName({ pid, startTime }: ProcessIdentity): string {
  return `:${pid}-${startTime}`
}

function removeAll(path: string): void {
  try {
    removeTree(path)
  } catch (cause) {
    throw new RuntimeError('io', `remove ${path}: ${reasonOf(cause)}`, { cause })
  }
}
