import { errnoName, errnoSentence } from '../abi/errno.ts'
import type { ErrorCode } from './codes.ts'
import { RuntimeError } from './runtime-error.ts'

/** A system call that failed; the message prints the call as strace(1) does. */
export class SyscallError extends RuntimeError {
  override readonly name: string = 'SyscallError'

  constructor(
    readonly call: string,
    readonly errno: number,
    /** The cause alone, where the caller knows more of it than strerror(3). */
    readonly reason = errnoSentence(errno),
    code: ErrorCode = 'io',
  ) {
    super(code, `${call}: ${reason}`)
  }

  /** `ENOENT`. */
  get errnoName(): string {
    return errnoName(this.errno)
  }
}
