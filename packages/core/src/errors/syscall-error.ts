import { errnoName, errnoSentence } from '../abi/errno.ts'
import { RuntimeError } from './runtime-error.ts'

/** A system call that failed; the message prints the call as strace(1) does. */
export class SyscallError extends RuntimeError {
  override readonly name: string = 'SyscallError'

  constructor(
    readonly call: string,
    readonly errno: number,
  ) {
    super('io', `${call}: ${errnoSentence(errno)}`)
  }

  /** `ENOENT`. */
  get errnoName(): string {
    return errnoName(this.errno)
  }
}
