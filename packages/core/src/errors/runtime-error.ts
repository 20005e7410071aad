import type { ErrorCode } from './codes.ts'
import { printable } from './printable.ts'

/** What RuntimeError carries beside its sentence. */
export interface RuntimeErrorOptions {
  /** The failure underneath; its message is already part of the sentence. */
  readonly cause?: unknown
}

/** A failure that a user may see: one lower-case sentence without a final period, and nothing that steers a terminal. */
export class RuntimeError extends Error {
  override readonly name: string = 'RuntimeError'
  constructor(
    readonly code: ErrorCode,
    message: string,
    { cause }: RuntimeErrorOptions = {},
  ) {
    super(printable(shorten(message)), cause === undefined ? undefined : { cause })
  }
}

/** A config.json or process.json that cannot be honoured; `pointer` is the field in the spec's spelling. */
export class SpecError extends RuntimeError {
  override readonly name: string = 'SpecError'

  constructor(
    readonly pointer: string,
    problem: string,
  ) {
    super('invalid-spec', `${pointer}: ${problem}`)
  }
}

/** Characters of a message; two paths of 4095 fit. */
const LONGEST_MESSAGE = 10_000

/** What of config.json is quoted must not flood the terminal that shows the message: the middle of it is left out. */
function shorten(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message
  return `${message.slice(0, LONGEST_MESSAGE / 2)} ... ${message.slice(-LONGEST_MESSAGE / 2)}`
}

/** Of an engine without memory, which may have none for an error and throw null (engine.c limits it). */
export const OUT_OF_MEMORY = 'out of memory'

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error === null) return OUT_OF_MEMORY
  return error instanceof Error ? error.message : String(error)
}

/** The cause alone, of a system call's message, in which it stands last: "no such file or directory". */
export function lastClauseOf(error: unknown): string {
  const message = messageOf(error)
  // A sentence that ends with what to do says why before that.
  if (error instanceof RuntimeError && !('errno' in error)) return message
  return message.slice(message.lastIndexOf(': ') + 2)
}
