import { monotonicMs } from '../../sys/program.ts'
import { log, logSpan, takesDebug, takesSpans } from './logger.ts'
import type { LogFields } from './sink.ts'

/** Says that a phase is over: its name in a trace, and for the log what was done; without a message it is for the trace alone. */
export type PhaseLog = (name: string, message?: string, fields?: LogFields) => void

const nothing: PhaseLog = () => undefined

/**
 * The phases of one verb: spans of a trace, and debug messages, each with the milliseconds since the end of the one before, in
 * words and as `ms`. Measures nothing when no sink takes them.
 */
export function phaseLog(component: string): PhaseLog {
  if (!takesDebug() && !takesSpans()) return nothing
  let last = monotonicMs()
  return (name, message, fields) => {
    const now = monotonicMs()
    logSpan({ name, component, from: last, to: now, message })
    const ms = Math.round((now - last) * 10) / 10
    last = now
    if (message !== undefined) log.debug(`${message} (${ms} ms)`, { c: component, ms, ...fields })
  }
}
