/** What a copy of a tree needs: what is made in open directories, and extended attributes. */

import { decode } from '../abi/bytes.ts'
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { attempt, call, checked } from './syscall.ts'

/** PATH_MAX and XATTR_SIZE_MAX, XATTR_LIST_MAX (limits.h). */
const LINK_BYTES = 4096
const ATTRIBUTE_BYTES = 65536

/** mkdirat(2); the umask of the runtime cuts the mode. */
export function mkdirAt(directory: number, name: string, mode: number): void {
  call('mkdirat', [directory, name, mode], () => `mkdirat(${directory}, ${JSON.stringify(name)})`)
}

/** mknodat(2); `mode` has the type, and the umask of the runtime cuts it. */
export function mknodAt(directory: number, name: string, { mode, rdev }: { mode: number; rdev: number }): void {
  call('mknodat', [directory, name, mode, rdev], () => `mknodat(${directory}, ${JSON.stringify(name)})`)
}

/** symlinkat(2). */
export function symlinkAt(target: string, directory: number, name: string): void {
  call('symlinkat', [target, directory, name], () => `symlinkat(${directory}, ${JSON.stringify(name)})`)
}

/** readlinkat(2) of the symlink behind the O_PATH fd. */
export function readLink(link: number): string {
  const buffer = new Uint8Array(LINK_BYTES)
  const length = call('readlinkat', [link, '', buffer, LINK_BYTES], () => `readlinkat(${link})`)
  return decode(buffer.subarray(0, length))
}

/** fchownat(2) of the entry itself. */
export function chownAt(directory: number, name: string, { uid, gid }: { uid: number; gid: number }): void {
  const flags = AT_SYMLINK_NOFOLLOW | (name === '' ? AT_EMPTY_PATH : 0)
  call('fchownat', [directory, name, uid, gid, flags], () => `fchownat(${directory}, ${JSON.stringify(name)})`)
}

/** fchmodat(2), which follows a link. */
export function chmodAt(directory: number, name: string, mode: number): void {
  call('fchmodat', [directory, name, mode], () => `fchmodat(${directory}, ${JSON.stringify(name)})`)
}

/** The extended attributes of an open file or directory, xattr(7); none where the filesystem has no such thing. */
export function attributesOf(fd: number): [name: string, value: Uint8Array][] {
  const list = new Uint8Array(ATTRIBUTE_BYTES)
  const listed = supported(attempt('flistxattr', fd, list, ATTRIBUTE_BYTES), () => `flistxattr(${fd})`)
  const names = decode(list.subarray(0, listed ?? 0))
    .split('\0')
    .filter(Boolean)
  return names.flatMap((name) => {
    const value = new Uint8Array(ATTRIBUTE_BYTES)
    const result = attempt('fgetxattr', fd, name, value, ATTRIBUTE_BYTES)
    const length = supported(result, () => `fgetxattr(${fd}, ${JSON.stringify(name)})`)
    return length === undefined ? [] : [[name, value.subarray(0, length)] as [string, Uint8Array]]
  })
}

/** fsetxattr(2); false when the filesystem has no such attributes. */
export function setAttribute(fd: number, name: string, value: Uint8Array): boolean {
  const result = attempt('fsetxattr', fd, name, value, value.length, 0)
  return supported(result, () => `fsetxattr(${fd}, ${JSON.stringify(name)})`) !== undefined
}

/** Undefined for what the filesystem does not support, or no longer has. */
function supported(result: number, text: () => string): number | undefined {
  if (result === -errnoTable.EOPNOTSUPP[0] || result === -errnoTable.ENODATA[0]) return undefined
  return checked(result, text)
}
