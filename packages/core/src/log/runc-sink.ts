import { openLogFile } from './log-file.ts'
import type { Level, Sink } from './sink.ts'

/**
 * runc's `--log`: logrus lines. containerd takes the `msg` of the last line with `"level":"error"` for the reason of a
 * failure.
 */
export function openRuncSink(path: string, format: 'text' | 'json', least: Level): Sink {
  const file = openLogFile(path, '--log')
  const toLine = format === 'json' ? jsonLine : textLine
  return {
    least,
    write: (level, message) => file.append(toLine(level, message, new Date())),
    close: file.close,
  }
}

/** logrus' JSONFormatter, with the time as RFC 3339 in UTC. */
export function jsonLine(level: Level, message: string, time: Date): string {
  return `${JSON.stringify({ level: logrusLevel(level), msg: message, time: time.toISOString() })}\n`
}

/** logrus' TextFormatter when it does not write to a terminal: whole seconds. */
export function textLine(level: Level, message: string, time: Date): string {
  const seconds = `${time.toISOString().slice(0, 19)}Z`
  return `time="${seconds}" level=${logrusLevel(level)} msg=${JSON.stringify(message)}\n`
}

function logrusLevel(level: Level): string {
  return level === 'warn' ? 'warning' : level
}
