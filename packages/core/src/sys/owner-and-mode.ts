/** Whose a file is, and who may do what with it. */

import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../abi/constants.ts'
import { call } from './syscall.ts'

/** Follows symbolic links; -1 leaves an id as it is. */
export function changeOwner(path: string, uid: number, gid: number): void {
  call('fchownat', [AT_FDCWD, path, uid, gid, 0], () => `chown ${path}`)
}

/** Of the symbolic link itself. */
export function changeLinkOwner(path: string, uid: number, gid: number): void {
  call('fchownat', [AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW], () => `lchown ${path}`)
}

export function changeOwnerOf(fd: number, uid: number, gid: number): void {
  call('fchown', [fd, uid, gid], () => `fchown(${fd}, ${uid}, ${gid})`)
}

/** Follows symbolic links; the umask cuts nothing. */
export function changeMode(path: string, mode: number): void {
  call('fchmodat', [AT_FDCWD, path, mode], () => `chmod ${path}`)
}

export function changeModeOf(fd: number, mode: number): void {
  call('fchmod', [fd, mode], () => `fchmod(${fd}, 0${mode.toString(8)})`)
}
