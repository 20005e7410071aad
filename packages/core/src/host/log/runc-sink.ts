import type { ErrorCode } from '../../errors/codes.ts'
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
    write: (level, message, { errorCode }) => file.append(toLine(level, message, new Date(), errorCode)),
    close: file.close,
  }
}

/** logrus' JSONFormatter, with the time as RFC 3339 in UTC, and one field more for an error that has a code. */
export function jsonLine(level: Level, message: string, time: Date, errorCode?: ErrorCode): string {
  return `${JSON.stringify({ level: logrusLevel(level), msg: message, time: time.toISOString(), errorCode })}\n`
}

/** logrus' TextFormatter when it does not write to a terminal: whole seconds. */
export function textLine(level: Level, message: string, time: Date): string {
  const seconds = `${time.toISOString().slice(0, 19)}Z`
  return `time="${seconds}" level=${logrusLevel(level)} msg=${JSON.stringify(message)}\n`
}

function logrusLevel(level: Level): string {
  return level === 'warn' ? 'warning' : level
}
