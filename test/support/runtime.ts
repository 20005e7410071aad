/**
 * The runtime under test as a program: one call, one process, nothing known of its inside.
 *
 * stdout and stderr are files, never pipes: a container that outlives the call inherits them, and a pipe would
 * then keep the call from ending.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join, resolve } from 'node:path'

/** Absolute path of the runtime: RUNTIME (a path, or a name looked up in PATH), else the built tree's. */
export const runtimePath = findRuntime(process.env.RUNTIME ?? '')

/** The name its `--version` begins with. */
export const runtimeName = basename(runtimePath)

/** True when the suite is being proven against runc. */
export const isRunc = runtimeName === 'runc'

export interface InvokeOptions {
  /** Written to stdin, then end of file; default: /dev/null. */
  readonly input?: string | Uint8Array
  /** Replaces the environment when given. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** SIGKILL after this many milliseconds; default 30 000. */
  readonly timeoutMs?: number
  /** A command, with arguments, that runs the runtime: `['/path/launch', '--fds', '--']`. */
  readonly through?: readonly string[]
  /** Ends the call with SIGKILL when aborted. */
  readonly cancelSignal?: AbortSignal
}

/** What one call did. */
export interface Result {
  readonly args: readonly string[]
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
  /** Both outputs as they are now: a container may still be writing. */
  readonly output: () => string
  readonly errors: () => string
}

let calls = 0
let outputDirectory: string | undefined

/** Runs the runtime with exactly these arguments; never throws on a failure of it. */
export async function invoke(args: readonly string[], options: InvokeOptions = {}): Promise<Result> {
  outputDirectory ??= mkdtempSync(join(tmpdir(), 'runtime-output-'))
  mkdirSync(outputDirectory, { recursive: true })
  const stem = join(outputDirectory, String(calls++))
  const stdout = openSync(`${stem}.out`, 'w')
  const stderr = openSync(`${stem}.err`, 'w')
  const [command, ...rest] = [...(options.through ?? []), runtimePath, ...args]
  const started = performance.now()
  try {
    const child = spawn(command ?? runtimePath, rest, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', stdout, stderr],
      env: options.env ?? process.env,
      cwd: options.cwd,
      timeout: options.timeoutMs ?? 30_000,
      killSignal: 'SIGKILL',
      signal: options.cancelSignal,
    })
    child.stdin?.on('error', () => {}) // EPIPE of a process that does not read its input
    child.stdin?.end(options.input)
    const ended = await new Promise<{ code: number | null; signal: string | null }>((resolveEnd, rejectEnd) => {
      child.once('exit', (code, signal) => resolveEnd({ code, signal }))
      child.once('error', (error) => (error.name === 'AbortError' ? undefined : rejectEnd(error)))
    })
    return {
      args,
      exitCode: ended.code ?? undefined,
      signal: ended.signal ?? undefined,
      timedOut: ended.signal === 'SIGKILL' && performance.now() - started >= (options.timeoutMs ?? 30_000),
      stdout: readFileSync(`${stem}.out`, 'utf8'),
      stderr: readFileSync(`${stem}.err`, 'utf8'),
      durationMs: performance.now() - started,
      output: () => readFileSync(`${stem}.out`, 'utf8'),
      errors: () => readFileSync(`${stem}.err`, 'utf8'),
    }
  } finally {
    closeSync(stdout)
    closeSync(stderr)
  }
}

/**
 * The error message of a failed call: the one line on stderr. runc wraps its message as logrus does
 * (`time="..." level=error msg="..."`), which is undone here.
 */
export function messageOf(result: Pick<Result, 'stderr'>): string {
  const line = result.stderr.trimEnd().split('\n').at(-1) ?? ''
  const quoted = /^time="[^"]*" level=(?:error|fatal) msg=(".*"|\S+)$/.exec(line)?.[1]
  if (quoted === undefined) return line
  return quoted.startsWith('"') ? (JSON.parse(quoted) as string) : quoted
}

/** Where the outputs of this process's calls lie, if any was made. */
export function outputs(): string | undefined {
  return outputDirectory
}

function findRuntime(named: string): string {
  if (named === '') return resolve(import.meta.dirname, '../../dist/bin/crio-lxc')
  if (named.includes('/')) return resolve(named)
  const path = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, named))
  const found = path.find((candidate) => existsSync(candidate))
  if (found === undefined) throw new Error(`RUNTIME=${named}: no such program in PATH`)
  return found
}
