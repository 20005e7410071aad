import { monotonicMs } from '../sys/program.ts'
import { log, takesDebug } from './logger.ts'
import type { LogFields } from './sink.ts'

/** Says that a step is done. */
export type StepLog = (message: string, fields?: LogFields) => void

const nothing: StepLog = () => undefined

/**
 * Debug messages about the steps of one verb, each with the milliseconds since the one before, in words and as `ms`.
 * Measures nothing when no sink takes them.
 */
export function stepLog(component: string): StepLog {
  if (!takesDebug()) return nothing
  let last = monotonicMs()
  return (message, fields) => {
    const now = monotonicMs()
    const ms = Math.round((now - last) * 10) / 10
    last = now
    log.debug(`${message} (${ms} ms)`, { c: component, ms, ...fields })
  }
}
