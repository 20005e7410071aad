/**
 * What a copy of a tree needs: entries of open directories by the bytes of their names, which need not be UTF-8, and
 * extended attributes. The rules of libc.ts hold here too.
 */
import { AT_SYMLINK_NOFOLLOW, O_CLOEXEC } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { call } from './libc.ts'

/** The bytes of a name, without the final NUL. */
export type Name = Buffer

const EMPTY = Buffer.from('\0')
/** struct linux_dirent64: where d_reclen and d_name are. */
const RECORD_LENGTH = 16
const RECORD_NAME = 19
const DIRENT_BYTES = 1 << 15
/** PATH_MAX and XATTR_SIZE_MAX, XATTR_LIST_MAX (limits.h). */
const LINK_BYTES = 4096
const ATTRIBUTE_BYTES = 65536

/** getdents64(2): the names in the directory, without "." and "..", a buffer at a time, so that none has to be long in memory. */
export function* entryNames(directory: number): Generator<Name> {
  const buffer = Buffer.alloc(DIRENT_BYTES)
  const prototype = 'long getdents64(int fd, void *buffer, size_t size)'
  for (;;) {
    const filled = call(prototype, [directory, buffer, DIRENT_BYTES], () => `getdents64(${directory})`)
    if (filled === 0) return
    for (let at = 0; at < filled; at += buffer.readUInt16LE(at + RECORD_LENGTH)) {
      const start = at + RECORD_NAME
      const name = Buffer.from(buffer.subarray(start, buffer.indexOf(0, start)))
      if (!isDots(name)) yield name
    }
  }
}

function isDots(name: Name): boolean {
  return name.length <= 2 && name.every((byte) => byte === 0x2e)
}

/** openat(2); `flags` get O_CLOEXEC. */
export function openAt(directory: number, name: Name, flags: number, mode = 0): number {
  return call(
    'int openat(int dirfd, void *name, int flags, unsigned int mode)',
    [directory, terminated(name), flags | O_CLOEXEC, mode],
    () => `openat(${directory}, ${shown(name)})`,
  )
}

/** mkdirat(2); the umask of the runtime cuts the mode. */
export function mkdirAt(directory: number, name: Name, mode: number): void {
  call(
    'int mkdirat(int dirfd, void *name, unsigned int mode)',
    [directory, terminated(name), mode],
    () => `mkdirat(${directory}, ${shown(name)})`,
  )
}

/** mknodat(2); `mode` has the type, and the umask of the runtime cuts it. */
export function mknodAt(directory: number, name: Name, { mode, rdev }: { mode: number; rdev: number }): void {
  call(
    'int mknodat(int dirfd, void *name, unsigned int mode, unsigned long device)',
    [directory, terminated(name), mode, rdev],
    () => `mknodat(${directory}, ${shown(name)})`,
  )
}

/** symlinkat(2). */
export function symlinkAt(target: Buffer, directory: number, name: Name): void {
  call(
    'int symlinkat(void *target, int dirfd, void *name)',
    [terminated(target), directory, terminated(name)],
    () => `symlinkat(${directory}, ${shown(name)})`,
  )
}

/** readlinkat(2) of the symlink behind the O_PATH fd. */
export function readLink(link: number): Buffer {
  const buffer = Buffer.alloc(LINK_BYTES)
  const length = call(
    'long readlinkat(int dirfd, void *name, void *buffer, size_t size)',
    [link, EMPTY, buffer, LINK_BYTES],
    () => `readlinkat(${link})`,
  )
  return buffer.subarray(0, length)
}

/** fchownat(2) of the entry itself. */
export function chownAt(directory: number, name: Name, { uid, gid }: { uid: number; gid: number }): void {
  call(
    'int fchownat(int dirfd, void *name, unsigned int uid, unsigned int gid, int flags)',
    [directory, terminated(name), uid, gid, AT_SYMLINK_NOFOLLOW],
    () => `fchownat(${directory}, ${shown(name)})`,
  )
}

/** fchmodat(2), which follows a link. */
export function chmodAt(directory: number, name: Name, mode: number): void {
  call(
    'int fchmodat(int dirfd, void *name, unsigned int mode, int flags)',
    [directory, terminated(name), mode, 0],
    () => `fchmodat(${directory}, ${shown(name)})`,
  )
}

/** The extended attributes of an open file or directory, xattr(7); none where the filesystem has no such thing. */
export function attributesOf(fd: number): [name: string, value: Buffer][] {
  const list = Buffer.alloc(ATTRIBUTE_BYTES)
  const listed = supported(() =>
    call('long flistxattr(int fd, void *list, size_t size)', [fd, list, ATTRIBUTE_BYTES], () => `flistxattr(${fd})`),
  )
  const names = list
    .toString('latin1', 0, listed ?? 0)
    .split('\0')
    .filter(Boolean)
  return names.flatMap((name) => {
    const value = Buffer.alloc(ATTRIBUTE_BYTES)
    const length = supported(() =>
      call(
        'long fgetxattr(int fd, void *name, void *value, size_t size)',
        [fd, Buffer.from(`${name}\0`, 'latin1'), value, ATTRIBUTE_BYTES],
        () => `fgetxattr(${fd}, ${JSON.stringify(name)})`,
      ),
    )
    return length === undefined ? [] : [[name, value.subarray(0, length)] as [string, Buffer]]
  })
}

/** fsetxattr(2); false when the filesystem has no such attributes. */
export function setAttribute(fd: number, name: string, value: Buffer): boolean {
  const done = supported(() =>
    call(
      'int fsetxattr(int fd, void *name, void *value, size_t size, int flags)',
      [fd, Buffer.from(`${name}\0`, 'latin1'), value, value.length, 0],
      () => `fsetxattr(${fd}, ${JSON.stringify(name)})`,
    ),
  )
  return done !== undefined
}

/** Undefined for what the filesystem does not support, or no longer has. */
function supported(attempt: () => number): number | undefined {
  try {
    return attempt()
  } catch (error) {
    const absent = [errnoTable.EOPNOTSUPP[0], errnoTable.ENODATA[0]] as number[]
    if (error instanceof SyscallError && absent.includes(error.errno)) return undefined
    throw error
  }
}

function terminated(name: Buffer): Buffer {
  return Buffer.concat([name, EMPTY])
}

function shown(name: Name): string {
  return JSON.stringify(name.toString('latin1'))
}
