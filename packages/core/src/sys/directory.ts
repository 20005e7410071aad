/** Directories by fd: what a container makes may lie deeper than a path reaches (PATH_MAX). */
import { decode, Struct } from '../abi/bytes.ts'
import { AT_SYMLINK_NOFOLLOW, O_CLOEXEC, O_RDONLY } from '../abi/constants.ts'
import type { Fd } from './fd.ts'
import { arch, attempt, call } from './syscall.ts'

const AT_REMOVEDIR = 0x200
/** struct linux_dirent64: where d_reclen, d_type and d_name are. */
const RECORD_LENGTH = 16
const RECORD_TYPE = 18
const RECORD_NAME = 19
const BUFFER_BYTES = 1 << 15
const DT_UNKNOWN = 0
const DT_DIR = 4
const S_IFDIR = 0o04

export interface DirectoryEntry {
  readonly name: string
  readonly directory: boolean
}

/** getdents64(2): what is in the directory, without "." and "..", a buffer at a time, so that none has to be long in memory. */
export function* directoryEntries(directory: number): Generator<DirectoryEntry> {
  const buffer = new Struct(BUFFER_BYTES)
  for (;;) {
    const filled = call('getdents64', [directory, buffer, BUFFER_BYTES], () => `getdents64(${directory})`)
    if (filled === 0) return
    for (let at = 0; at < filled; at += buffer.u16(at + RECORD_LENGTH)) {
      const start = at + RECORD_NAME
      const name = decode(buffer.subarray(start, buffer.indexOf(0, start)))
      if (name === '.' || name === '..') continue
      yield { name, directory: isDirectory(directory, name, buffer[at + RECORD_TYPE] ?? DT_UNKNOWN) }
    }
  }
}

/** Not every filesystem says of an entry what it is. */
function isDirectory(directory: number, name: string, type: number): boolean {
  if (type !== DT_UNKNOWN) return type === DT_DIR
  const status = new Struct(256)
  const STATX_TYPE = 1
  attempt('statx', directory, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, status)
  return status.u16(28) >> 12 === S_IFDIR
}

/** openat(2); `flags` get O_CLOEXEC, and no symbolic link is followed. */
export function openBelow(dirfd: number, name: string, flags: number): Fd {
  return call(
    'openat',
    [dirfd, name, flags | O_CLOEXEC | arch.O_NOFOLLOW],
    () => `openat(${dirfd}, ${JSON.stringify(name)})`,
  ) as Fd
}

/** The same of a directory, to be read. */
export function openDirectoryBelow(dirfd: number, name: string): Fd {
  return openBelow(dirfd, name, O_RDONLY | arch.O_DIRECTORY)
}

/** unlinkat(2) with AT_REMOVEDIR. */
export function removeDirectoryBelow(dirfd: number, name: string): void {
  call('unlinkat', [dirfd, name, AT_REMOVEDIR], () => `unlinkat(${dirfd}, ${JSON.stringify(name)}, AT_REMOVEDIR)`)
}

/** renameat2(2) within the directory. */
export function renameBelow(dirfd: number, from: string, to: string): void {
  call('renameat2', [dirfd, from, dirfd, to, 0], () => `rename ${from} to ${to}`)
}

/** unlinkat(2) of anything but a directory. */
export function removeFileBelow(dirfd: number, name: string): void {
  call('unlinkat', [dirfd, name, 0], () => `unlinkat(${dirfd}, ${JSON.stringify(name)})`)
}

/** The directories in the one behind `fd`, in no order. Read once. */
export function subdirectories(fd: number): string[] {
  return Array.from(directoryEntries(fd))
    .filter(({ directory }) => directory)
    .map(({ name }) => name)
}
