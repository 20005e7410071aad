import type { ErrorCode } from './codes.ts'

/** What RuntimeError carries beside its sentence. */
export interface RuntimeErrorOptions {
  /** The failure underneath; its message is already part of the sentence. */
  readonly cause?: unknown
  /** Failures of the clean-up that followed; they never replace the cause. */
  readonly cleanup?: readonly unknown[]
}

/** A failure that a user may see: one lower-case sentence without a final period. */
export class RuntimeError extends Error {
  override readonly name: string = 'RuntimeError'
  readonly cleanup: readonly unknown[]

  constructor(
    readonly code: ErrorCode,
    message: string,
    { cause, cleanup = [] }: RuntimeErrorOptions = {},
  ) {
    super(presentable(message), cause === undefined ? undefined : { cause })
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

/**
 * What of config.json is quoted must neither steer the terminal that shows the message nor flood it: control characters
 * but line ends are escaped as in JSON, and the middle of an endless message is left out.
 */
function presentable(message: string): string {
  const omitted = message.length - LONGEST_MESSAGE
  const text =
    omitted > 0 ? `${message.slice(0, LONGEST_MESSAGE / 2)} ... ${message.slice(-LONGEST_MESSAGE / 2)}` : message
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
  return text.replace(/[\0-\x09\v\f\x0e-\x1f\x7f-\x9f]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
