/** What the rest of the program asks of a failure that came from the kernel. */
import { messageOf } from './runtime-error.ts'
import { SyscallError } from './syscall-error.ts'

/** `ENOENT` and so on; undefined for any other kind of error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof SyscallError ? error.errnoName : undefined
}

/** The cause alone, without the call, which a sentence around it says already. */
export function reasonOf(error: unknown): string {
  return error instanceof SyscallError ? error.reason : messageOf(error)
}
