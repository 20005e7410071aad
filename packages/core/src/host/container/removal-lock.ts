import { ErrNotExist } from '../../errors/container-errors.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { close, type Fd, tryLock } from '../../sys/fd.ts'
import { fstat, lstat, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, openFile, unlessMissing } from '../../sys/files.ts'
import { checkRuntimeRoot } from './runtime-directory.ts'

/** The one who removes a container: others wait, and find out whether it is still the same one. */
export class RemovalLock {
  readonly #fd: Fd

  /** undefined while another process has it. Throws ErrNotExist. */
  static tryTake(root: string, id: string): RemovalLock | undefined {
    const path = `${root}/${id}`
    let fd: Fd
    try {
      fd = openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
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
    fd: Fd,
  ) {
    this.#fd = fd
  }

  /** The path still leads to the directory that is locked. */
  isCurrent(): boolean {
    const [now, locked] = [unlessMissing(() => lstat(this.path)), fstat(this.#fd)]
    return now !== undefined && now.identity === locked.identity
  }

  release(): void {
    close(this.#fd)
  }
}
