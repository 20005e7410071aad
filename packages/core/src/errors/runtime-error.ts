import type { ErrorCode } from './codes.ts'
import { printable } from './printable.ts'

/** What RuntimeError carries beside its sentence. */
export interface RuntimeErrorOptions {
  /** The failure underneath; its message is already part of the sentence. */
  readonly cause?: unknown
  /** Failures of the clean-up that followed; they never replace the cause. */
  readonly cleanup?: readonly unknown[]
}

/** A failure that a user may see: one lower-case sentence without a final period, and nothing that steers a terminal. */
export class RuntimeError extends Error {
  override readonly name: string = 'RuntimeError'
  readonly cleanup: readonly unknown[]

  constructor(
    readonly code: ErrorCode,
    message: string,
    { cause, cleanup = [] }: RuntimeErrorOptions = {},
  ) {
    super(printable(shorten(message)), cause === undefined ? undefined : { cause })
    this.cleanup = cleanup
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

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The cause alone, of a message in which it stands last: "no such file or directory". */
export function lastClauseOf(error: unknown): string {
  const message = messageOf(error)
  return message.slice(message.lastIndexOf(': ') + 2)
}
