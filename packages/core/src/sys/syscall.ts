/** A system call by its name, on the processor that this is. */
import { type Arch, archOf, type Call, callNumbers } from '../abi/arch.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { engine, type Word } from './engine.ts'

export const arch = archOf(engine.arch) as Arch

const EINTR = 4
let numbers: Readonly<Record<Call, number>> | undefined

/**
 * What the kernel returns, a negated errno included; repeated as long as a signal interrupts it. The words one by one: as a list
 * they would cost the engine more than the rest of this.
 */
export function attempt(name: Call, a?: Word, b?: Word, c?: Word, d?: Word, e?: Word, f?: Word): number {
  numbers ??= callNumbers(arch)
  const number = numbers[name]
  for (;;) {
    const result = engine.syscall(number, a, b, c, d, e, f)
    if (result !== -EINTR) return result
  }
}

/** The same; throws SyscallError, which prints the call as `text` does. */
export function call(name: Call, words: readonly Word[], text: () => string): number {
  return checked(attempt(name, words[0], words[1], words[2], words[3], words[4], words[5]), text)
}

/** `result` unless it is a negated errno. */
export function checked(result: number, text: () => string): number {
  if (result < 0) throw new SyscallError(text(), -result)
  return result
}
