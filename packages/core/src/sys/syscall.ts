/** A system call by its name, on the processor that this is. */
import { type Arch, archOf, type Call, callNumber } from '../abi/arch.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { engine, type Word } from './engine.ts'

export const arch = archOf(engine.arch) as Arch

const EINTR = 4

/** What the kernel returns, a negated errno included; repeated as long as a signal interrupts it. */
export function attempt(name: Call, ...words: readonly Word[]): number {
  const number = callNumber(arch, name)
  for (;;) {
    const result = engine.syscall(number, ...words)
    if (result !== -EINTR) return result
  }
}

/** The same; throws SyscallError, which prints the call as `text` does. */
export function call(name: Call, words: readonly Word[], text: () => string): number {
  return checked(attempt(name, ...words), text)
}

/** `result` unless it is a negated errno. */
export function checked(result: number, text: () => string): number {
  if (result < 0) throw new SyscallError(text(), -result)
  return result
}
