/** What the rest of the program asks of a failure that came from the kernel. */
import { errnoSentence } from '../abi/errno.ts'
import { messageOf } from './runtime-error.ts'
import { SyscallError } from './syscall-error.ts'

/** `ENOENT` and so on; undefined for any other kind of error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof SyscallError ? error.errnoName : undefined
}

/** The cause alone, in the words of strerror(3), without what a sentence around it says already. */
export function reasonOf(error: unknown): string {
  return error instanceof SyscallError ? errnoSentence(error.errno) : messageOf(error)
}
