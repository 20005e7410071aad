/** One fault at one system call: test/fixtures/programs/fault.c as a function. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Containers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { type InvokeOptions, type Result, runtimePath } from '../../support/runtime.ts'

/** Whose calls are counted; see fault.c. */
export type Role = 'main' | 'launch' | 'monitor' | 'stage' | 'init' | 'hook' | 'entering'

export interface Watch {
  readonly role: Role
  /** Counting begins with a call whose path contains this. */
  readonly from?: string | undefined
  /** Names of calls; default: all that change something. */
  readonly calls?: readonly string[] | undefined
  /** Pid of an init that is there already. */
  readonly attach?: number | undefined
}

export interface Fault {
  /** Number of the call, from 1. */
  readonly at: number
  readonly signal?: number
  /** The signal goes to the runtime, whoever makes the call. */
  readonly toMain?: boolean
  readonly errno?: number
}

export interface Faulted {
  readonly result: Result
  /** The counted calls, `mkdir(/path)`. */
  readonly calls: readonly string[]
  /** The fault has happened: another number of calls may have been made than the time before. */
  readonly hit: boolean
}

let reports = 0

/** Runs the runtime, and counts without a fault when there is none. */
export async function runWithFault(
  t: Containers,
  args: readonly string[],
  { watch, fault, ...options }: { watch: Watch; fault?: Fault } & InvokeOptions,
): Promise<Faulted> {
  const report = newReport(t)
  const result = await t.runtime(args, {
    ...options,
    through: [program('fault'), ...flagsOf(report, watch, fault), '--'],
  })
  const calls = readCalls(report)
  rmSync(report)
  return { result, calls, hit: fault !== undefined && calls.length >= fault.at }
}

/** A runtime for a caller that is to die while its call of `verb` runs. */
export interface DeadlyRuntime {
  /** A program in the place of the runtime. */
  readonly path: string
  /** The counted calls of `verb` so far. */
  readonly calls: () => readonly string[]
  /** `verb` has ended, and nobody was killed. */
  readonly ended: () => boolean
}

/** Kills its caller, or the process whose pid is in the file `victim`, before call `at`; without `at` nobody. */
export function deadlyRuntime(
  directory: string,
  { verb, watch, at, victim }: { verb: string; watch: Watch; at?: number | undefined; victim?: string },
): DeadlyRuntime {
  const report = newReport({ directory })
  const path = `${report}.sh`
  const flags = flagsOf(report, watch, at === undefined ? undefined : { at, signal: 9 })
  const to = at === undefined ? '' : `--to ${victim === undefined ? 'parent' : `"$(cat ${victim})"`}`
  const traced = `exec ${program('fault')} ${flags.join(' ')} ${to} -- ${runtimePath} "$@"`
  writeFileSync(path, `#!/bin/sh\ncase " $* " in *' ${verb} '*) ${traced};; esac\nexec ${runtimePath} "$@"\n`, {
    mode: 0o755,
  })
  const text = (): string => (existsSync(report) ? readFileSync(report, 'utf8') : '')
  return { path, calls: () => callsOf(text()), ended: () => /^end /m.test(text()) }
}

const newReport = ({ directory }: { readonly directory: string }): string => join(directory, `fault-${reports++}`)

function flagsOf(report: string, watch: Watch, fault: Fault | undefined): string[] {
  const flags: Record<string, string | undefined> = {
    '--report': report,
    '--attach': watch.attach?.toString(),
    '--role': watch.role,
    '--from': watch.from,
    '--calls': watch.calls?.join(','),
    '--at': fault?.at.toString(),
    '--signal': fault?.signal?.toString(),
    '--to': fault?.toMain ? 'main' : undefined,
    '--errno': fault?.errno?.toString(),
  }
  return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
}

const readCalls = (report: string): string[] => callsOf(readFileSync(report, 'utf8'))

const callsOf = (text: string): string[] => text.split('\n').flatMap((line) => /^\d+ (.*)$/.exec(line)?.[1] ?? [])

/** CRASH=all walks over every call; otherwise every test takes about so many, evenly, CRASH_SEED moves them. */
export function sample(count: number, about: number): number[] {
  const stride = process.env.CRASH === 'all' ? 1 : Math.max(1, Math.floor(count / about))
  const offset = Number(process.env.CRASH_SEED ?? 0) % stride
  return Array.from({ length: count }, (_, index) => index + 1).filter((at) => (at - 1) % stride === offset)
}
