/** Files by their paths. A path is text as engine.ts has it, so a name of any bytes survives; errors are SyscallErrors. */

import { decode, Struct } from '../abi/bytes.ts'
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, makedev, O_CLOEXEC, S_IFMT } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { type DirectoryEntry, directoryEntries } from './directory.ts'
import { close, type Fd, read, readToEnd, writeAll } from './fd.ts'
import { arch, attempt, call, checked } from './syscall.ts'

export const { O_DIRECTORY, O_NOFOLLOW } = arch
export { O_CREAT, O_EXCL, O_NOCTTY, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_WRONLY } from '../abi/constants.ts'
export const O_TRUNC = 0o1000
export const O_APPEND = 0o2000

/** openFile(2), CLOEXEC. */
export function openFile(path: string, flags: number, mode = 0): Fd {
  return openAt(AT_FDCWD, path, flags, mode)
}

/** openat(2), CLOEXEC. */
export function openAt(directory: number, path: string, flags: number, mode = 0): Fd {
  return call('openat', [directory, path, flags | O_CLOEXEC, mode], () => `open ${path}`) as Fd
}

/** `use` with the open file. */
export function withFile<Result>(path: string, flags: number, use: (fd: Fd) => Result): Result {
  const fd = openFile(path, flags)
  try {
    return use(fd)
  } finally {
    close(fd)
  }
}

/** All bytes of a file; files of /proc and /sys, which have no size, as well. */
export function readFile(path: string): Uint8Array {
  return withFile(path, 0, (fd) => readToEnd(fd))
}

export function readText(path: string): string {
  return decode(readFile(path))
}

export interface WriteOptions {
  /** Beside O_WRONLY; default: O_CREAT | O_TRUNC. */
  readonly flags?: number
  /** Of a new file; the umask cuts it. */
  readonly mode?: number
}

/** In one write(2) where the file takes it, as those of the kernel demand. */
export function writeFile(path: string, content: string | Uint8Array, options: WriteOptions = {}): void {
  const { flags = 0o100 | O_TRUNC, mode = 0o666 } = options
  const fd = openFile(path, 1 | flags, mode)
  try {
    writeAll(fd, content, () => `write ${path}`)
  } finally {
    close(fd)
  }
}

/** What statx(2) says. */
export class FileStatus {
  readonly #statx: Struct

  constructor(statx: Struct) {
    this.#statx = statx
  }

  /** The file's type and permissions, as st_mode. */
  get mode(): number {
    return this.#statx.u16(28)
  }
  get uid(): number {
    return this.#statx.u32(20)
  }
  get gid(): number {
    return this.#statx.u32(24)
  }
  get nlink(): number {
    return this.#statx.u32(16)
  }
  get size(): number {
    return Number(this.#statx.u64(40))
  }
  /** Nanoseconds of st_ctime, which nobody can set. */
  get changed(): bigint {
    return this.#statx.i64(96) * 1_000_000_000n + BigInt(this.#statx.u32(104))
  }
  get ino(): bigint {
    return this.#statx.u64(32)
  }
  /** Of the device that the file is on, as st_dev. */
  get dev(): number {
    return makedev(this.#statx.u32(136), this.#statx.u32(140))
  }
  /** Of the device that the file is, as st_rdev. */
  get rdev(): number {
    return makedev(this.#statx.u32(128), this.#statx.u32(132))
  }
  /** `DEV:INO`: no other file has it at the same time. */
  get identity(): string {
    return `${this.dev}:${this.ino}`
  }
  isFile(): boolean {
    return this.#is(0o100000)
  }
  isDirectory(): boolean {
    return this.#is(0o040000)
  }
  isSymbolicLink(): boolean {
    return this.#is(0o120000)
  }
  isCharacterDevice(): boolean {
    return this.#is(0o020000)
  }
  isBlockDevice(): boolean {
    return this.#is(0o060000)
  }
  isFIFO(): boolean {
    return this.#is(0o010000)
  }
  isSocket(): boolean {
    return this.#is(0o140000)
  }

  #is(type: number): boolean {
    return (this.mode & S_IFMT) === type
  }
}

const STATX_BASIC_STATS = 0x7ff

function statx(directory: number, path: string, flags: number, text: () => string): FileStatus {
  const bytes = new Struct(256)
  call('statx', [directory, path, flags, STATX_BASIC_STATS, bytes], text)
  return new FileStatus(bytes)
}

/** Follows symbolic links. */
export function stat(path: string): FileStatus {
  return statx(AT_FDCWD, path, 0, () => `stat ${path}`)
}

export function lstat(path: string): FileStatus {
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, () => `lstat ${path}`)
}

export function fstat(fd: number): FileStatus {
  return statx(fd, '', AT_EMPTY_PATH, () => `fstat(${fd})`)
}

const AT_STATX_DONT_SYNC = 0x4000

/** The same as far as the kernel knows it: whoever serves the filesystem is not asked. */
export function fstatAsKnown(fd: number): FileStatus {
  return statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, () => `fstat(${fd})`)
}

/** `look`, or undefined when the file does not exist. */
export function unlessMissing<Result>(look: () => Result): Result | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof SyscallError && error.errno === errnoTable.ENOENT[0]) return undefined
    throw error
  }
}

/** False also when it cannot be told. */
export function fileExists(path: string): boolean {
  return attempt('faccessat', AT_FDCWD, path, 0) === 0
}

const X_OK = 1

/** Throws SyscallError when this process may not execute the file. */
export function checkExecutable(path: string): void {
  call('faccessat', [AT_FDCWD, path, X_OK], () => `access ${path}`)
}

/** f_type of statfs(2). */
export function filesystemType(path: string): number {
  const bytes = new Struct(120)
  call('statfs', [path, bytes], () => `statfs ${path}`)
  return bytes.u32(0)
}

/** The same of an open file. */
export function filesystemTypeOf(fd: number): number {
  const bytes = new Struct(120)
  call('fstatfs', [fd, bytes], () => `fstatfs(${fd})`)
  return bytes.u32(0)
}

/** Names in alphabetical order, without `.` and `..`. */
export function readDirectory(path: string): string[] {
  return readEntries(path).map(({ name }) => name)
}

export function readEntries(path: string): DirectoryEntry[] {
  return withFile(path, O_DIRECTORY, entriesOf)
}

/** Of an open directory, from its present position; in alphabetical order. */
export function entriesOf(directory: number): DirectoryEntry[] {
  return Array.from(directoryEntries(directory)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function makeDirectory(path: string, mode: number): void {
  call('mkdirat', [AT_FDCWD, path, mode], () => `mkdir ${path}`)
}

/** With the directories above it that are missing. */
export function makeDirectories(path: string, mode: number): void {
  const made = attempt('mkdirat', AT_FDCWD, path, mode)
  const parent = path.replace(/\/+[^/]+\/*$/, '')
  if (made === -errnoTable.ENOENT[0] && parent !== '' && parent !== path) {
    makeDirectories(parent, mode)
    makeDirectory(path, mode)
  } else if (made !== -errnoTable.EEXIST[0] || !stat(path).isDirectory()) checked(made, () => `mkdir ${path}`)
}

const AT_REMOVEDIR = 0x200

export function removeDirectory(path: string): void {
  call('unlinkat', [AT_FDCWD, path, AT_REMOVEDIR], () => `rmdir ${path}`)
}

/** Of anything but a directory; one that is missing is fine. */
export function removeFile(path: string): void {
  const result = attempt('unlinkat', AT_FDCWD, path, 0)
  if (result !== -errnoTable.ENOENT[0]) checked(result, () => `unlink ${path}`)
}

/** A file, or a directory with all that is in it; what is missing is fine, and no symbolic link is followed. */
export function removeTree(path: string): void {
  removeTreeAt(AT_FDCWD, path)
}

function removeTreeAt(directory: number, name: string): void {
  const gone = attempt('unlinkat', directory, name, 0)
  if (gone !== -errnoTable.EISDIR[0]) {
    if (gone !== -errnoTable.ENOENT[0]) checked(gone, () => `unlink ${name}`)
    return
  }
  const fd = openAt(directory, name, O_DIRECTORY | O_NOFOLLOW)
  try {
    for (const entry of entriesOf(fd)) removeTreeAt(fd, entry.name)
  } finally {
    close(fd)
  }
  call('unlinkat', [directory, name, AT_REMOVEDIR], () => `rmdir ${name}`)
}

export function rename(from: string, to: string): void {
  call('renameat2', [AT_FDCWD, from, AT_FDCWD, to, 0], () => `rename ${from} to ${to}`)
}

export function makeSymbolicLink(target: string, path: string): void {
  call('symlinkat', [target, AT_FDCWD, path], () => `symlink ${path}`)
}

/** What a symbolic link says. */
export function readLink(path: string): string {
  const bytes = new Uint8Array(4096)
  const length = call('readlinkat', [AT_FDCWD, path, bytes, bytes.length], () => `readlink ${path}`)
  return decode(bytes.subarray(0, length))
}

/** The path without a symbolic link in it. */
export function realPath(path: string): string {
  return withFile(path, 0o10000000, (fd) => readLink(`/proc/self/fd/${fd}`))
}

/** mkfifo(3); the umask cuts the mode. */
export function makeFifo(path: string, mode: number): void {
  makeNode(path, 0o010000 | mode, 0)
}

/** mknod(2); the umask cuts the mode. */
export function makeNode(path: string, mode: number, device: number): void {
  call('mknodat', [AT_FDCWD, path, mode, device], () => `mknod(${path})`)
}

/** The first bytes of a file, at most `limit`; read in one read(2). */
export function readHead(fd: number, limit: number): Uint8Array {
  const bytes = new Uint8Array(limit)
  return bytes.subarray(0, read(fd, bytes))
}
