/** JSON files of the runtime directory: written whole or not at all, read only when nobody else can have written them. */

import { decode } from '../../abi/bytes.ts'
import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { close, type Fd, readToEnd, writeAll } from '../../sys/fd.ts'
import {
  fstat,
  lstat,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  openFile,
  readText,
  removeFile,
  rename,
  stat,
} from '../../sys/files.ts'
import { changeModeOf } from '../../sys/owner-and-mode.ts'
import { effectiveUid, ownPid } from '../../sys/program.ts'
import { cleanUp } from '../log/clean-up.ts'

export const REMEDY = 'delete the container with --force'
/** Write permission of group and others. */
const FOREIGN_WRITE = 0o022

/**
 * The value in the JSON file `path`. Throws RuntimeError `io` when it is missing, empty, truncated or not JSON, or when
 * somebody else may have written it: what it says decides which processes are killed.
 */
export function decodeFileJSON(path: string): unknown {
  const value = decodePresentJSON(path)
  if (value === undefined) throw new RuntimeError('io', `read ${path}: no such file or directory`)
  return value
}

/** The same, but undefined when the file is missing. */
export function decodePresentJSON(path: string): unknown {
  const bytes = readOwnBytes(path)
  return bytes && decodeJSON(bytes, path)
}

/** The value of what the file `path` holds. Throws RuntimeError `io`. */
export function decodeJSON(bytes: Uint8Array, path: string): unknown {
  const text = decode(bytes)
  try {
    return JSON.parse(text)
  } catch (cause) {
    // Node quotes the file.
    const problem = text === '' ? 'it is empty' : messageOf(cause).split('\n', 1)[0]
    throw new RuntimeError('io', `decode ${path}: ${problem}: ${REMEDY}`, { cause })
  }
}

/** All bytes of a file of this user's that nobody else may write; undefined when it is missing. Throws RuntimeError `io`. */
export function readOwnBytes(path: string): Uint8Array | undefined {
  let fd: Fd
  try {
    // O_NONBLOCK: a fifo must not hold the runtime.
    fd = openFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return undefined
    const reason = codeOf(cause) === 'ELOOP' ? `it is a symbolic link: ${REMEDY}` : reasonOf(cause)
    throw new RuntimeError('io', `read ${path}: ${reason}`, { cause })
  }
  try {
    const stat = fstat(fd)
    if (!stat.isFile()) throw new RuntimeError('io', `read ${path}: it is not a regular file: ${REMEDY}`)
    if (stat.uid !== effectiveUid() || (stat.mode & FOREIGN_WRITE) !== 0)
      throw new RuntimeError(
        'io',
        `read ${path}: another user may have written it (uid ${stat.uid}, mode ${(stat.mode & 0o777).toString(8)}): ${REMEDY}`,
      )
    // It does not change any more: whatever writes one makes a new file.
    return readToEnd(fd, stat.size)
  } finally {
    close(fd)
  }
}

/** Mode 0600; the rename makes the new content appear at once. */
export function encodeFileJSON(path: string, value: unknown): void {
  try {
    replaceFile(path, `${JSON.stringify(value)}\n`, 0o600)
  } catch (cause) {
    throw new RuntimeError('io', `write ${path}: ${reasonOf(cause)}`, { cause })
  }
}

/**
 * Writes the decimal pid and nothing else (containerd reads the whole file with Atoi), mode 0644, atomically. What is no file
 * stays: who says /dev/null would lose the host's.
 */
export function createPidFile(path: string, pid: number): void {
  try {
    if (isSpecial(path)) throw new RuntimeError('io', 'it is not a regular file: give another path')
    replaceFile(path, String(pid), 0o644)
  } catch (cause) {
    const advice = codeOf(cause) === 'ENOENT' ? ': make its directory first' : ''
    throw new RuntimeError('io', `write the pid file ${path}: ${reasonOf(cause)}${advice}`, { cause })
  }
}

/** A device, a fifo or a socket, or a link to one. */
function isSpecial(path: string): boolean {
  try {
    const found = lstat(path)
    // /dev/stdout is a link to one.
    const meant = found.isSymbolicLink() ? stat(path) : found
    return !meant.isFile() && !meant.isDirectory()
  } catch {
    // Nothing is there, which is usual, or what keeps it from being looked at will keep it from being written.
    return false
  }
}

/** Removes what a process that was killed has begun to write, and leaves what others may have put there. */
export function removeUnfinished(path: string, pid: number): void {
  try {
    removeFile(unfinished(path, pid))
  } catch {
    // Nothing is there, which is usual, or a directory.
  }
}

/** What `path` is called until it is complete: the name of this process, so that a crash leaves nothing in the way. */
function unfinished(path: string, pid: number): string {
  return `${path}.${pid}.tmp`
}

function replaceFile(path: string, text: string, mode: number): void {
  const { fd, temporary } = openTemporary(path, mode)
  try {
    // The caller's umask has cut the mode off.
    changeModeOf(fd, mode)
    writeAll(fd, text)
    rename(temporary, path)
  } catch (error) {
    cleanUp(error, [() => removeFile(temporary)])
    throw error
  } finally {
    close(fd)
  }
}

/** In a directory that others may write to the name can be guessed, and a link or a directory of theirs lie in wait. */
function openTemporary(path: string, mode: number): { fd: Fd; temporary: string } {
  const known = unfinished(path, ownPid())
  removeUnfinished(path, ownPid())
  try {
    return { fd: openFile(known, O_WRONLY | O_CREAT | O_EXCL, mode), temporary: known }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const temporary = `${known}.${readText('/proc/sys/kernel/random/uuid').trim()}`
    return { fd: openFile(temporary, O_WRONLY | O_CREAT | O_EXCL, mode), temporary }
  }
}
