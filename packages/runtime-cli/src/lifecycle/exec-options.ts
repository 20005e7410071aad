/** What exec is asked for beside the container. */
export interface ExecOptions {
  /** process.json; the flags below then only add the terminal. */
  readonly processFile?: string
  readonly args: readonly string[]
  /** uid[:gid] */
  readonly user?: string
  readonly cwd?: string
  readonly env: readonly string[]
  readonly tty: boolean
  readonly detach: boolean
  readonly pidFile?: string
  readonly consoleSocket?: string
  readonly preserveFds?: number
  readonly additionalGids: readonly number[]
  readonly caps: readonly string[]
  readonly noNewPrivs?: boolean
}
