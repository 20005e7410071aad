/** This process: what it was started with, and what concerns all of it. */

import { decode, Struct } from '../abi/bytes.ts'
import { AT_FDCWD, F_GETFD, O_RDWR } from '../abi/constants.ts'
import { errnoTable } from '../abi/errno.ts'
import { resolvePath } from '../abi/path.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { engine } from './engine.ts'
import { fileExists, readLink, stat } from './files.ts'
import { attempt, call } from './syscall.ts'

/** What follows the program's name. */
export const programArguments: readonly string[] = engine.arguments.slice(1)

// One of the standard descriptors that is closed would become that of the first file that is opened.
for (const fd of [0, 1, 2])
  if (attempt('fcntl', fd, F_GETFD) < 0 && attempt('openat', AT_FDCWD, '/dev/null', O_RDWR) !== fd) exit(125)

/** When the process came to the engine, by the clock of `monotonicMs`. */
export const { startedAt } = engine

let variables: Record<string, string> | undefined

/** environ(7); of a name that is there twice the first counts, as for getenv(3). */
export function environment(): Readonly<Record<string, string>> {
  if (variables) return variables
  // Without a prototype, so that any name is one of its own.
  variables = Object.create(null) as Record<string, string>
  for (let i = engine.environment.length - 1; i >= 0; i--) {
    const entry = engine.environment[i] as string
    const end = entry.indexOf('=')
    variables[entry.slice(0, end)] = entry.slice(end + 1)
  }
  return variables
}

/** Of a thread that embeds the runtime its own number: by that, and its start time, what it makes and leaves is told apart. */
export function ownPid(): number {
  return attempt(engine.thread ? 'gettid' : 'getpid')
}

export function effectiveUid(): number {
  return attempt('geteuid')
}

export function effectiveGid(): number {
  return attempt('getegid')
}

/** `path` as this process means it now. Throws RuntimeError when it is relative and the working directory was removed. */
export function absolutePath(path: string): string {
  const base = path.startsWith('/') ? '/' : workingDirectory()
  if (base === undefined) throw new RuntimeError('io', `resolve ${path}: the current directory does not exist`)
  return resolvePath(base, path)
}

function workingDirectory(): string | undefined {
  const bytes = new Uint8Array(4096)
  const length = attempt('getcwd', bytes, bytes.length)
  const path = length < 0 ? '' : decode(bytes.subarray(0, length - 1))
  // One outside of the root of this process has no path (getcwd(2)).
  return path.startsWith('/') ? path : undefined
}

/** Returns the mask that was. */
export function setUmask(mask: number): number {
  return attempt('umask', mask)
}

/** Ends at once: nothing is buffered. */
export function exit(code: number): never {
  for (;;) attempt('exit_group', code)
}

const CLOCK_REALTIME = 0
const CLOCK_MONOTONIC = 1

/** Milliseconds of a clock that nobody sets, with fractions. */
export function monotonicMs(): number {
  return clockMs(CLOCK_MONOTONIC)
}

/** The same since 1970, in every time namespace. */
export function realtimeMs(): number {
  return clockMs(CLOCK_REALTIME)
}

function clockMs(clock: number): number {
  const time = new Struct(16)
  attempt('clock_gettime', clock, time)
  return Number(time.i64(0)) * 1000 + Number(time.i64(8)) / 1e6
}

/** kill(2); false when there is no such process. A pidfd is better where there is one. */
export function kill(pid: number, signal: number): boolean {
  if (attempt('kill', pid, signal) === -errnoTable.ESRCH[0]) return false
  call('kill', [pid, signal], () => `kill(${pid}, ${signal})`)
  return true
}

/** Another one for each build that is installed; undefined where the program is not all in its own file. */
export function executableIdentity(): string | undefined {
  if (engine.libexec !== undefined) return undefined
  const { identity, changed, size } = stat('/proc/self/exe')
  return `${identity}:${changed}:${size}`
}

/**
 * Where what is installed with the program is: PREFIX/libexec/crio-lxc. It follows from the running program's own file, never
 * from the environment, $PATH or the working directory, which the caller or the bundle controls.
 */
export function libexecDir(): string {
  if (engine.libexec !== undefined) return engine.libexec
  const executable = fileExists('/proc/self/exe') ? readLink('/proc/self/exe') : ''
  const directory = executable.replace(/\/[^/]*$/, '')
  return executable.endsWith('/crio-lxc-hook') ? directory : `${directory.replace(/\/[^/]*$/, '')}/libexec/crio-lxc`
}
