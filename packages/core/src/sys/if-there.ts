/** What is often there, or not: neither is an error, which takes the engine longer than the call. */
import { decode } from '../abi/bytes.ts'
import { AT_FDCWD, O_CLOEXEC } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { close, type Fd, read, readToEnd } from './fd.ts'
import { attempt, checked } from './syscall.ts'

/** undefined when there is no such file. */
export function readTextIfThere(path: string): string | undefined {
  return readIfThere(path, readToEnd)
}

/** More than any has of those that it is for. */
const SMALL_BYTES = 2048

/** The same of a file of one line that the kernel makes for a read(2), as those of /proc are. */
export function readLineIfThere(path: string): string | undefined {
  return readIfThere(path, readLine)
}

function readLine(fd: number): Uint8Array {
  const bytes = new Uint8Array(SMALL_BYTES)
  return bytes.subarray(0, read(fd, bytes))
}

function readIfThere(path: string, readAll: (fd: number) => Uint8Array): string | undefined {
  const fd = attempt('openat', AT_FDCWD, path, O_CLOEXEC, 0)
  if (fd === -errnoTable.ENOENT[0]) return undefined
  checked(fd, () => `open ${path}`)
  try {
    return decode(readAll(fd))
  } finally {
    close(fd as Fd)
  }
}

/** False when there is something already, which stays. */
export function makeDirectoryUnlessThere(path: string, mode: number): boolean {
  const made = attempt('mkdirat', AT_FDCWD, path, mode)
  if (made === -errnoTable.EEXIST[0]) return false
  checked(made, () => `mkdir ${path}`)
  return true
}
