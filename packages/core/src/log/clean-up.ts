/**
 * Failures of what undoes a failed verb. They never replace the error that it failed with: they are logged, and ride along with
 * it to the end of its sentence (errors/left-behind.ts).
 */
import { addLeftBehind } from '../errors/left-behind.ts'
import { messageOf } from '../errors/runtime-error.ts'
import { log } from './logger.ts'

/** Runs every step, also after one that fails. Without an error the verb has succeeded, and its log alone says so. */
export function cleanUp(error: unknown, steps: Iterable<() => void>): void {
  for (const step of steps) {
    try {
      step()
    } catch (failure) {
      noteLeftBehind(error, failure)
    }
  }
}

/** What undid the work before `error` has failed as well. */
export function noteLeftBehind(error: unknown, failure: unknown): void {
  log.info(`left behind: ${messageOf(failure)}`, { c: 'cleanup' })
  addLeftBehind(error, failure)
}
