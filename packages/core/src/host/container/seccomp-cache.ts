/**
 * Compiled filters, `ROOT/.:seccomp-N`, which outlive their containers: callers give all of theirs the same few profiles, and
 * libseccomp takes as long for a usual one as the rest of create. No id has a colon; of other runtimes that have the same
 * root runc lists no files, and crun nothing that begins with a dot. Whatever is wrong with the cache, the filter is compiled.
 */
import { messageOf } from '../../errors/runtime-error.ts'
import type { Seccomp } from '../../oci/linux.ts'
import { cachedProgram, cacheEntry, cacheInput, cacheSlot, MAX_ENTRY_BYTES } from '../../seccomp/cache-entry.ts'
import { checkListener, filterFlags, notifies } from '../../seccomp/filter.ts'
import { openBelow, removeFileBelow, renameBelow } from '../../sys/directory.ts'
import { close, readToEnd, writeAll } from '../../sys/fd.ts'
import {
  type FileStatus,
  fstat,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openAt,
  readText,
  unlessMissing,
  withFile,
} from '../../sys/files.ts'
import { effectiveUid, executableIdentity, ownPid } from '../../sys/program.ts'
import { type CompiledSeccomp, compileSeccomp } from '../../sys/seccomp.ts'
import { log } from '../log/logger.ts'
import { identify } from '../process/proc.ts'
import { workName } from './runtime-directory.ts'

/** Write permission of group and others. */
const FOREIGN_WRITE = 0o022
/** Of a root to which others may write. */
const FOREIGN = Symbol()

export interface CachedSeccomp extends CompiledSeccomp {
  /**
   * Puts what was compiled into the cache: when the container has all of its files, because the last room that is left is
   * theirs.
   */
  remember(): void
}

/** What compileSeccomp gives, from the cache below `root` where it has been compiled before. */
export function cachedSeccomp(
  root: string,
  seccomp: Seccomp,
  executable: string | undefined = unlessBroken(executableIdentity),
): CachedSeccomp {
  const cache = executable === undefined ? undefined : unlessBroken(() => cacheOf(root, executable, seccomp))
  const found = cache && unlessBroken(() => inRoot(cache, find))
  if (found === FOREIGN) return { ...compileSeccomp(seccomp), remember: () => undefined }
  if (!found) {
    const compiled = compileSeccomp(seccomp)
    const keepIt = (open: OpenCache): void => keep(open, compiled.program)
    return { ...compiled, remember: () => cache && unlessBroken(() => inRoot(cache, keepIt)) }
  }
  // What it was compiled from has passed all other checks.
  checkListener(seccomp)
  return { program: found, flags: filterFlags(seccomp), notifies: notifies(seccomp), remember: () => undefined }
}

interface Cache {
  readonly root: string
  readonly name: string
  readonly input: string
}

interface OpenCache extends Cache {
  /** O_PATH. */
  readonly directory: number
}

function cacheOf(root: string, executable: string, seccomp: Seccomp): Cache {
  // libseccomp asks the kernel what it knows; and what was being written when the machine stopped counts no more.
  const boot = readText('/proc/sys/kernel/random/boot_id').trim()
  const input = cacheInput(executable, boot, seccomp)
  return { root, name: `.:seccomp-${cacheSlot(input)}`, input }
}

function inRoot<Result>(cache: Cache, use: (open: OpenCache) => Result): Result | typeof FOREIGN {
  return withFile(cache.root, O_PATH | O_DIRECTORY, (directory) => {
    if (isOwn(fstat(directory))) return use({ ...cache, directory })
    say(`there are none in ${cache.root}, to which others may write`)
    return FOREIGN
  })
}

function find({ directory, name, input }: OpenCache): Uint8Array | undefined {
  // O_NONBLOCK: a fifo must not hold the runtime.
  const fd = unlessMissing(() => openBelow(directory, name, O_RDONLY | O_NONBLOCK))
  if (fd === undefined) return undefined
  try {
    const stat = fstat(fd)
    const readable = stat.isFile() && isOwn(stat) && stat.size <= MAX_ENTRY_BYTES
    return readable ? cachedProgram(readToEnd(fd, stat.size, stat.size), input) : undefined
  } finally {
    close(fd)
  }
}

/** By a rename, in the place of whatever is there; what a process that is killed leaves is swept like its other work. */
function keep({ directory, name, input }: OpenCache, program: Uint8Array): void {
  const entry = cacheEntry(input, program)
  const self = identify(ownPid())
  if (!entry || !self) return
  const unfinished = `.${workName(self)}`
  const fd = openAt(directory, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeAll(fd, entry)
    renameBelow(directory, unfinished, name)
  } catch (error) {
    removeFileBelow(directory, unfinished)
    throw error
  } finally {
    close(fd)
  }
}

/** Nobody else may write to it, so that what is in it is what the runtime has put there. */
function isOwn({ uid, mode }: FileStatus): boolean {
  return uid === effectiveUid() && (mode & FOREIGN_WRITE) === 0
}

function unlessBroken<Result>(use: () => Result): Result | undefined {
  try {
    return use()
  } catch (error) {
    say(messageOf(error))
    return undefined
  }
}

function say(problem: string): void {
  log.debug(`compiled seccomp filters: ${problem}`, { c: 'seccomp' })
}
