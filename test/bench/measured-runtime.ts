import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SpawnTimer, Timing } from './spawn-timer.ts'

/** The commands of one cycle, in their order; each is timed from spawn to exit. */
export const commands = ['create', 'start', 'state', 'exec', 'kill', 'delete'] as const
export type Command = (typeof commands)[number]
export type CycleTimes = Readonly<Record<Command, number>>

/** A runtime under measurement and where it keeps its state. */
export interface MeasuredRuntime {
  readonly name: string
  /** The executable and its global options, as a caller would give them. */
  readonly argv: readonly string[]
  /** The directory given as --root. */
  readonly root: string
  readonly bundle: string
  readonly timer: SpawnTimer
}

/** Runs one command of the runtime on container `id`. */
export function runCommand(runtime: MeasuredRuntime, command: Command, id: string): Promise<Timing> {
  const { timer, bundle } = runtime
  const rest: Record<Command, string[]> = {
    create: ['create', '--bundle', bundle, '--pid-file', pidFile(runtime, id), id],
    start: ['start', id],
    state: ['state', id],
    exec: ['exec', id, '/bin/true'],
    kill: ['kill', id, 'KILL'],
    delete: ['delete', id],
  }
  return timer.run([...runtime.argv, '--root', runtime.root, ...rest[command]])
}

/** One container from create to delete; milliseconds per command. The time in which the killed process dies is in none. */
export async function measureCycle(runtime: MeasuredRuntime, id: string): Promise<CycleTimes> {
  const times: Partial<Record<Command, number>> = {}
  for (const command of commands) {
    times[command] = (await runCommand(runtime, command, id)).ms
    if (command === 'kill') await runtime.timer.reap(readPidFile(runtime, id))
  }
  return times as CycleTimes
}

/** Removes what an interrupted cycle left; a container that is not there is no failure. */
export async function forceDelete(runtime: MeasuredRuntime, id: string): Promise<void> {
  await runtime.timer.run([...runtime.argv, '--root', runtime.root, 'delete', '--force', id]).catch(() => undefined)
}

/** What create wrote to its pid file: init, or in resident mode the monitor. */
export function readPidFile(runtime: MeasuredRuntime, id: string): number {
  return Number(readFileSync(pidFile(runtime, id), 'utf8'))
}

function pidFile(runtime: MeasuredRuntime, id: string): string {
  return join(runtime.bundle, '..', `${runtime.name}-${id}.pid`)
}
