/**
 * The callers of a runtime as they are without their programs: how each starts it, and how each reads what comes back.
 * conmon and podman are also driven for real (test/callers/conmon, test/callers/podman); here every call is made by
 * hand, so that what they do once in a thousand calls can be done each time.
 */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { execa } from 'execa'
import { expect } from 'vitest'
import { runtimePath } from '../../support/runtime.ts'

export interface Call {
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
  /** Both as Go's CombinedOutput reads them. */
  readonly all: string
}

export interface CallOptions {
  /** Everything that is in the environment; nothing by default. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** A command that becomes the runtime. */
  readonly through?: readonly string[]
}

/**
 * One call over pipes, read to their end as os/exec does: a process that keeps one open holds the caller, and here
 * fails the test.
 */
export async function call(args: readonly string[], options: CallOptions = {}): Promise<Call> {
  const { env = {}, cwd, input, through = [] } = options
  const [command = runtimePath, ...rest] = [...through, runtimePath, ...args]
  const result = await execa(command, rest, {
    env,
    extendEnv: false,
    ...(cwd !== undefined && { cwd }),
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    all: true,
    reject: false,
    stripFinalNewline: false,
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  expect(result.timedOut, `${args.join(' ')} held its pipes open`).toBe(false)
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr, all: result.all }
}

/** The same, failing the test unless it exits 0 and says nothing on stderr. */
export async function quiet(args: readonly string[], options: CallOptions = {}): Promise<Call> {
  const result = await call(args, options)
  expect(result, `${args.join(' ')}: ${result.all}`).toMatchObject({ exitCode: 0, stderr: '' })
  return result
}

/** strconv.Atoi of the whole file, as the shim reads a pid file. */
export function atoi(path: string): number {
  const text = readFileSync(path, 'utf8')
  expect(text).toMatch(/^[+-]?\d+$/)
  expect(statSync(path).mode & 0o777).toBe(0o644)
  return Number(text)
}

/** go-runc's Container, decoded as encoding/json would: a member of another type is an error. */
export interface GoContainer {
  readonly id: string
  readonly pid: number
  readonly status: string
  readonly bundle: string
  readonly rootfs: string
  /** Milliseconds. */
  readonly created: number
  readonly annotations: Readonly<Record<string, string>>
}

export function decodeContainer(value: unknown): GoContainer {
  const { id, pid, status, bundle, rootfs, created, annotations = {} } = value as Record<string, unknown>
  for (const text of [id, status, bundle, rootfs, created]) expect(text).toBeTypeOf('string')
  expect(Number.isSafeInteger(pid)).toBe(true)
  expect(created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/)
  for (const text of Object.values(annotations as object)) expect(text).toBeTypeOf('string')
  return { ...(value as GoContainer), created: Date.parse(created as string) }
}

/** go-runc's getLastRuntimeError: the msg of the last line of level error in the file of --log --log-format json. */
export function lastRuntimeError(log: string): string {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as { level: string; msg: string; time: string })
  for (const { time } of entries) expect(Date.parse(time)).not.toBeNaN()
  return entries.findLast(({ level }) => level === 'error')?.msg ?? ''
}

/** What containerd makes of a failed kill (checkKillError of its shim). */
export function killError(message: string): 'not found' | 'no such container' | 'unknown' {
  const lower = message.toLowerCase()
  if (/os: process already finished|container not running|no such process/.test(lower)) return 'not found'
  return lower.includes('does not exist') ? 'no such container' : 'unknown'
}

/** What CRI-O makes of the stderr of a call (runtimeCmd). */
export function isGoneForCrio(stderr: string): boolean {
  return ['no such process', 'container not running', 'invalid process'].some((text) => stderr.includes(text))
}

/** podman's exit code for a failure of the runtime (define.ExitCode and the texts of its OCI errors). */
export function podmanExitCode(message: string): number {
  if (/permission denied|operation not permitted/i.test(message)) return 126
  return /executable file not found in|no such file or directory/i.test(message) ? 127 : 125
}

/** What conmon reads of a failure: one buffer of the stderr pipe. */
export const CONMON_BUFFER = 8192

/** fds for stdio that are neither files nor pipes of ours; closed by `close`. */
export function openDevice(path: string): { fd: number; close: () => void } {
  const fd = openSync(path, 'r+')
  return { fd, close: () => closeSync(fd) }
}
