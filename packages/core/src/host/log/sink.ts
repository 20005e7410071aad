import type { ErrorCode } from '../../errors/codes.ts'

/** More than the message: the component that speaks, the container, the command. */
export interface LogFields {
  readonly c?: string | undefined
  readonly cid?: string | undefined
  readonly cmd?: string | undefined
  /** Of the error that a verb has failed with; docs/errors.md. */
  readonly errorCode?: ErrorCode | undefined
  readonly [name: string]: unknown
}

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** What a process did between two times of CLOCK_MONOTONIC, in milliseconds. */
export interface Span {
  /** As short as a column of a table: `config`. */
  readonly name: string
  readonly component: string
  readonly from: number
  readonly to: number
  /** The process that did it, when that is not this one: its pid, and what it is. */
  readonly process?: { readonly pid: number; readonly name: string }
  /** The same in a sentence. */
  readonly message?: string | undefined
}

/** Where lines go. A sink that cannot write drops the line: logging never breaks a command that works. */
export interface Sink {
  /** The least level it takes; `never` takes none. */
  readonly least: Level | 'never'
  /** Of the line that says how a verb has ended; debug unless given. */
  readonly verbLevel?: Level
  write(level: Level, message: string, fields: LogFields): void
  /** Only where durations go. */
  span?(span: Span): void
  close?(): void
}
