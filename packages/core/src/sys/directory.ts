/**
 * Directories by fd and names by their bytes: what a container makes may lie deeper than a path reaches (PATH_MAX), and a
 * name need not be UTF-8. The rules of libc.ts hold here too.
 */
import { constants } from 'node:fs'
import { O_CLOEXEC, O_RDONLY } from '../abi/constants.ts'
import { call } from './libc.ts'

/** The bytes of a name, without the final NUL. */
export type Name = Uint8Array

const AT_REMOVEDIR = 0x200
/** struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name. */
const RECLEN_OFFSET = 16
const TYPE_OFFSET = 18
const NAME_OFFSET = 19
const DT_DIR = 4
const BUFFER_BYTES = 1 << 15

/** openat(2); `flags` get O_CLOEXEC, and no symbolic link is followed. */
export function openBelow(dirfd: number, name: string | Name, flags: number): number {
  return call(
    'int openat(int dirfd, void *name, int flags)',
    [dirfd, terminated(name), flags | O_CLOEXEC | constants.O_NOFOLLOW],
    () => `openat(${dirfd}, ${quoted(name)})`,
  )
}

/** The same of a directory, to be read. */
export function openDirectoryBelow(dirfd: number, name: string | Name): number {
  return openBelow(dirfd, name, O_RDONLY | constants.O_DIRECTORY)
}

/** unlinkat(2) with AT_REMOVEDIR. */
export function removeDirectoryBelow(dirfd: number, name: Name): void {
  call(
    'int unlinkat(int dirfd, void *name, int flags)',
    [dirfd, terminated(name), AT_REMOVEDIR],
    () => `unlinkat(${dirfd}, ${quoted(name)}, AT_REMOVEDIR)`,
  )
}

/** getdents64(2): the directories in the one behind `fd`, on a filesystem that says what its entries are. Read once. */
export function subdirectories(fd: number): Name[] {
  const names: Name[] = []
  const buffer = Buffer.alloc(BUFFER_BYTES)
  for (;;) {
    const filled = call(
      'long getdents64(int fd, void *buffer, size_t count)',
      [fd, buffer, BUFFER_BYTES],
      () => `getdents64(${fd})`,
    )
    if (filled === 0) return names
    for (let at = 0; at < filled; at += buffer.readUInt16LE(at + RECLEN_OFFSET)) {
      if (buffer[at + TYPE_OFFSET] !== DT_DIR) continue
      const start = at + NAME_OFFSET
      const name = buffer.subarray(start, buffer.indexOf(0, start))
      if (!isDots(name)) names.push(Buffer.from(name))
    }
  }
}

function isDots(name: Name): boolean {
  return name.every((byte) => byte === 0x2e) && name.length <= 2
}

function terminated(name: string | Name): Buffer {
  return typeof name === 'string' ? Buffer.from(`${name}\0`) : Buffer.concat([name, Buffer.alloc(1)])
}

function quoted(name: string | Name): string {
  return JSON.stringify(typeof name === 'string' ? name : Buffer.from(name).toString('latin1'))
}
