import { errnoName, errnoSentence } from '../abi/errno.ts'

/** A system call that failed; the message prints the call as strace(1) does. */
export class SyscallError extends Error {
  override readonly name: string = 'SyscallError'

  constructor(
    readonly call: string,
    readonly errno: number,
  ) {
    super(`${call}: ${errnoSentence(errno)}`)
  }

  /** `ENOENT`. */
  get code(): string {
    return errnoName(this.errno)
  }
}
