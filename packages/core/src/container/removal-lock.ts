import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs'
import { ErrNotExist } from '../errors/container-errors.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../errors/system-error.ts'
import { tryLock } from '../sys/libc-process.ts'
import { checkRuntimeRoot } from './runtime-directory.ts'

/** The one who removes a container: others wait, and find out whether it is still the same one. */
export class RemovalLock {
  readonly #fd: number

  /** undefined while another process has it. Throws ErrNotExist. */
  static tryTake(root: string, id: string): RemovalLock | undefined {
    const path = `${root}/${id}`
    let fd: number
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    } catch (cause) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(cause) ?? '')) {
        checkRuntimeRoot(root)
        throw new ErrNotExist(id)
      }
      throw new RuntimeError('io', `open ${path}: ${reasonOf(cause)}`, { cause })
    }
    const lock = new RemovalLock(path, fd)
    if (tryLock(fd) && lock.isCurrent()) return lock
    lock.release()
    return undefined
  }

  private constructor(
    readonly path: string,
    fd: number,
  ) {
    this.#fd = fd
  }

  /** The path still leads to the directory that is locked. */
  isCurrent(): boolean {
    const [now, locked] = [lstatSync(this.path, { throwIfNoEntry: false }), fstatSync(this.#fd)]
    return now !== undefined && now.ino === locked.ino && now.dev === locked.dev
  }

  release(): void {
    closeSync(this.#fd)
  }
}
