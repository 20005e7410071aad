/**
 * The log of this process: one logger, up to three sinks. `--log` is runc's (containerd reads the last error from it),
 * the log file is the seed's; a trace takes durations. Nothing is opened, formatted or imported for a sink that was not asked for.
 */

import { printable } from '../../errors/printable.ts'
import { monotonicMs, startedAt } from '../../sys/program.ts'
import { openRuncSink } from './runc-sink.ts'
import type { Level, LogFields, Sink, Span } from './sink.ts'

/** Messages of one process, synchronous. Library code logs at debug level and throws; it never does both. */
export interface Log {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
}

export interface LogConfiguration {
  /** File of runc's `--log`, or as crun has it `file:PATH`, `journald:NAME` or `syslog:NAME`. */
  readonly runcLog?: string | undefined
  readonly runcFormat?: 'text' | 'json' | undefined
  /** Debug messages too, in both. */
  readonly debug?: boolean | undefined
  /** Takes the lines when neither file is named. */
  readonly fallback?: Sink | undefined
  /** The seed's log file. */
  readonly file?: string | undefined
  /** The least level of the seed's log file, in its names. */
  readonly level?: SeedLevel | undefined
  /** Go's layout of its time. */
  readonly timestamp?: string | undefined
  /** Its `cmd`, the command that runs. */
  readonly command?: string | undefined
  /** The file of a trace. */
  readonly trace?: string | undefined
  /** Its `cid`, the container. */
  readonly containerId?: string | undefined
}

/** Levels of the seed's log (zerolog); every message of ours is one of Level. */
export type SeedLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'panic' | 'disabled'

const order: Readonly<Record<Level | 'never', number>> = { debug: 0, info: 1, warn: 2, error: 3, never: 4 }

let sinks: readonly Sink[] = []
let common: LogFields = {}
let traced = false

function emit(level: Level, message: string, fields?: LogFields): void {
  emitTo(sinks, level, message, { ...common, ...fields })
}

function emitTo(open: readonly Sink[], level: Level, message: string, fields: LogFields): void {
  for (const sink of open) if (order[level] >= order[sink.least]) sink.write(level, printable(message), fields)
}

/**
 * That a verb has ended, with the milliseconds since this process began: once for each that `changes` something in the logs
 * by which operators follow their containers, and elsewhere no more than a step.
 */
export function logVerb(message: string, changes: boolean, fields: LogFields): void {
  const ms = elapsed()
  for (const { verbLevel = 'debug', least, write } of sinks) {
    const level = changes ? verbLevel : 'debug'
    if (order[level] >= order[least]) write(level, printable(`${message} (${ms} ms)`), { ...common, ms, ...fields })
  }
}

/** Why a verb has failed, the one line of it: the milliseconds are no part of the message, which callers show as it is. */
export function logFailure(message: string, fields: LogFields): void {
  emit('error', message, { ms: elapsed(), ...fields })
}

/** Milliseconds since this process began. */
function elapsed(): number {
  return Math.round((monotonicMs() - startedAt) * 10) / 10
}

/** False when a debug message would go nowhere, so that none needs to be made. */
export function takesDebug(): boolean {
  return sinks.some(({ least }) => least === 'debug')
}

/** Whether durations are wanted, also those that only another process knows. */
export function takesSpans(): boolean {
  return traced
}

export function logSpan(span: Span): void {
  for (const sink of sinks) sink.span?.(span)
}

/** The logger of the process: silent until configureLogging. */
export const log: Log = {
  error: (message, fields) => emit('error', message, fields),
  warn: (message, fields) => emit('warn', message, fields),
  info: (message, fields) => emit('info', message, fields),
  debug: (message, fields) => emit('debug', message, fields),
}

/** A logger that says nothing, for library use and tests. */
export const silent: Log = { error() {}, warn() {}, info() {}, debug() {} }

/** Opens the sinks, in place of those before; a file that cannot be opened is a RuntimeError that names it. */
export async function configureLogging(configuration: LogConfiguration): Promise<Log> {
  const { trace } = configuration
  closeLogging()
  common = commonOf(configuration)
  // The first file is in use from here on, so that containerd finds the reason when the second cannot be opened.
  sinks = await openRunc(configuration)
  sinks = [...sinks, ...(await openSeed(configuration))]
  if (sinks.length === 0 && configuration.fallback) sinks = [configuration.fallback]
  if (trace !== undefined) {
    const { openTraceSink } = await import('./trace-sink.ts')
    sinks = [...sinks, openTraceSink(trace, configuration.command)]
    traced = true
  }
  return log
}

/** A logger and its files. */
export interface OpenLog {
  readonly log: Log
  /** The logger is silent from here on. */
  close(): void
}

/** A logger of its own, for a program that has several. Throws as configureLogging does, and then has nothing open. */
export async function openLog(configuration: LogConfiguration): Promise<OpenLog> {
  const fields = commonOf(configuration)
  let open: readonly Sink[] = await openRunc(configuration)
  const close = (): void => {
    const closing = open
    open = []
    for (const sink of closing) sink.close?.()
  }
  try {
    open = [...open, ...(await openSeed(configuration))]
  } catch (error) {
    close()
    throw error
  }
  const at =
    (level: Level): Log[Level] =>
    (message, own) =>
      emitTo(open, level, message, { ...fields, ...own })
  return { log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }, close }
}

function commonOf({ containerId: cid, command: cmd }: LogConfiguration): LogFields {
  return { cid, cmd }
}

async function openRunc({ runcLog, runcFormat = 'text', debug = false }: LogConfiguration): Promise<Sink[]> {
  if (runcLog === undefined) return []
  const lines = { format: runcFormat, least: debug ? 'debug' : 'info' } as const
  // What engines name is a path; what else there is has a module of its own.
  if (runcLog.startsWith('/')) return [openRuncSink(runcLog, lines.format, lines.least)]
  return [(await import('./named-sink.ts')).openNamedSink(runcLog, lines)]
}

async function openSeed({ file, level = 'info', debug = false, timestamp }: LogConfiguration): Promise<Sink[]> {
  if (file === undefined) return []
  const { openSeedSink } = await import('./seed-sink.ts')
  return [openSeedSink(file, debug ? 'debug' : least(level), timestamp)]
}

/** Closes the files; the logger is silent again. */
export function closeLogging(): void {
  const open = sinks
  sinks = []
  common = {}
  traced = false
  for (const sink of open) sink.close?.()
}

/** Says which container the lines from now on are about; the id may be known later than the log. */
export function logContainer(id: string): void {
  common = { ...common, cid: id }
}

function least(level: SeedLevel): Level | 'never' {
  if (level === 'trace') return 'debug'
  return level === 'fatal' || level === 'panic' || level === 'disabled' ? 'never' : level
}
