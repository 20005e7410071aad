import { readFileSync, rmSync } from 'node:fs'
import {
  type Proven,
  proveCreated,
  proveDeleted,
  proveExecuted,
  proveKilled,
  proveStarted,
  proveState,
} from './proof.ts'
import type { SpawnTimer, Timing } from './spawn-timer.ts'

/** The commands of one cycle, in their order; each is timed from spawn to exit. */
export const commands = ['create', 'start', 'state', 'exec', 'kill', 'delete'] as const
export type Command = (typeof commands)[number]
export type Cost = Pick<Timing, 'ms' | 'peakKb' | 'cpuMs'>
/** What the commands have cost, and what the container's own process has, init's part included. */
export type Cycle = Readonly<Record<Command | 'init', Cost>>

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

/** The command line of one command on container `id`; `through` is a command that runs it. */
export function commandLine(runtime: MeasuredRuntime, command: Command, id: string): string[] {
  const rest: Record<Command, string[]> = {
    create: ['create', '--bundle', runtime.bundle, '--pid-file', pidFile(runtime, id), id],
    start: ['start', id],
    state: ['state', id],
    exec: ['exec', id, '/bin/readlink', '/proc/self/ns/pid'],
    kill: ['kill', id, 'KILL'],
    delete: ['delete', id],
  }
  return [...runtime.argv, '--root', runtime.root, ...rest[command]]
}

/** Runs one command of the runtime on container `id`. */
export function runCommand(runtime: MeasuredRuntime, command: Command, id: string): Promise<Timing> {
  return runtime.timer.run(commandLine(runtime, command, id))
}

/** Runs create, and looks whether there is a container. */
export async function createProven(
  runtime: MeasuredRuntime,
  id: string,
): Promise<{ timing: Timing; container: Proven }> {
  rmSync(pidFile(runtime, id), { force: true })
  const timing = await runCommand(runtime, 'create', id)
  return { timing, container: proveContainer(runtime, id) }
}

/** Looks whether there is the container that create has made. */
export function proveContainer(runtime: MeasuredRuntime, id: string): Proven {
  const { name, root, bundle } = runtime
  return proveCreated({ name, root, bundle, id }, readPidFile(runtime, id))
}

/**
 * One container from create to delete. The time in which the killed process dies is in none. Throws when a command did
 * not do what its exit status says.
 */
export async function measureCycle(runtime: MeasuredRuntime, id: string): Promise<Cycle> {
  const run = (command: Command): Promise<Timing> => runCommand(runtime, command, id)
  const { timing: create, container } = await createProven(runtime, id)
  const start = await run('start')
  await proveStarted(container)
  const state = await run('state')
  proveState(container, state.output)
  const exec = await run('exec')
  proveExecuted(container, exec.output)
  const kill = await run('kill')
  const init = await runtime.timer.reap(container.pid)
  proveKilled(container, init.status)
  const deletion = await run('delete')
  proveDeleted(container)
  return { create, start, state, exec, kill, delete: deletion, init }
}

/** Removes what an interrupted cycle left; a container that is not there is no failure. */
export async function forceDelete(runtime: MeasuredRuntime, id: string): Promise<void> {
  await runtime.timer.run([...runtime.argv, '--root', runtime.root, 'delete', '--force', id]).catch(() => undefined)
}

/** What create wrote to its pid file: init, or in resident mode the monitor. NaN when there is none. */
export function readPidFile(runtime: MeasuredRuntime, id: string): number {
  try {
    return Number(readFileSync(pidFile(runtime, id), 'utf8').trim() || Number.NaN)
  } catch {
    return Number.NaN
  }
}

function pidFile(runtime: MeasuredRuntime, id: string): string {
  return `${runtime.root}-${id}.pid`
}
