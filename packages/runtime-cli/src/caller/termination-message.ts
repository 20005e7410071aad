/** Tells the kubelet why a container's program was never executed, in the file of its termination message. */
import { encode } from '@crio-lxc/core/abi/bytes'
import { O_NONBLOCK, O_PATH, O_WRONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import type { TerminationMessageFile } from '@crio-lxc/core/host/container/container-facts'
import { log } from '@crio-lxc/core/host/log/logger'
import { close, type Fd, write } from '@crio-lxc/core/sys/fd'
import { fstat, O_APPEND, openFile } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'

/** What the kubelet reads at most, bytes. */
const MAX_BYTES = 4096

/** Says which file is behind the fd of the mount that create makes. */
export function identifyMessage(fd: number, path: string): TerminationMessageFile {
  const { dev, ino } = fstat(fd)
  return { path, device: String(dev), inode: String(ino) }
}

/**
 * An O_PATH fd of the file that create has mounted, taken while init is there. undefined when it is not there any more:
 * whoever has unmounted it, or the image, by a link, may have put any file of the container or its volumes on the path.
 */
export function openTerminationMessage(pid: number, expected: TerminationMessageFile): Fd | undefined {
  const { path } = expected
  try {
    const root = openat2(-100, `/proc/${pid}/root`, { flags: O_PATH, resolve: 0 })
    try {
      const fd = openat2(root, path, { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
      const { device, inode } = identifyMessage(fd, path)
      if (device === expected.device && inode === expected.inode) return fd
      close(fd)
      throw new Error('it is not the file that was mounted there')
    } finally {
      close(root)
    }
  } catch (error) {
    log.warn(`open the termination message ${path}: ${messageOf(error)}`, { c: 'kubernetes' })
    return undefined
  }
}

/** Appends the error to the file behind `fd`, if it is a regular one; that it cannot is no error of the container's. */
export function writeTerminationMessage(fd: number, error: unknown): void {
  try {
    if (!fstat(fd).isFile()) throw new Error('it is not a regular file')
    const file = openFile(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK)
    try {
      write(file, encode(`${messageOf(error)}\n`).subarray(0, MAX_BYTES))
    } finally {
      close(file)
    }
  } catch (cause) {
    log.warn(`write the termination message: ${messageOf(cause)}`, { c: 'kubernetes' })
  }
}
