/** More than the message: the component that speaks, the container, the command. */
export interface LogFields {
  readonly c?: string | undefined
  readonly cid?: string | undefined
  readonly cmd?: string | undefined
  readonly [name: string]: unknown
}

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** Where lines go. A sink that cannot write drops the line: logging never breaks a command that works. */
export interface Sink {
  /** The least level it takes; `never` takes none. */
  readonly least: Level | 'never'
  /** Of the line that says how a verb has ended; debug unless given. */
  readonly verbLevel?: Level
  write(level: Level, message: string, fields: LogFields): void
  close?(): void
}
