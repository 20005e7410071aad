/** One fault at one system call: test/fixtures/programs/fault.c as a function. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Containers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import type { InvokeOptions, Result } from '../../support/runtime.ts'

/** Whose calls are counted; see fault.c. */
export type Role = 'main' | 'launch' | 'monitor' | 'stage' | 'init' | 'hook'

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
  const report = join(t.directory, `fault-${reports++}`)
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
  const given = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
  const result = await t.runtime(args, { ...options, through: [program('fault'), ...given, '--'] })
  const calls = readFileSync(report, 'utf8')
    .split('\n')
    .flatMap((line) => /^\d+ (.*)$/.exec(line)?.[1] ?? [])
  rmSync(report)
  return { result, calls, hit: fault !== undefined && calls.length >= fault.at }
}

/** CRASH=all walks over every call; otherwise every test takes about so many, evenly, CRASH_SEED moves them. */
export function sample(count: number, about: number): number[] {
  const stride = process.env.CRASH === 'all' ? 1 : Math.max(1, Math.floor(count / about))
  const offset = Number(process.env.CRASH_SEED ?? 0) % stride
  return Array.from({ length: count }, (_, index) => index + 1).filter((at) => (at - 1) % stride === offset)
}
