/**
 * Failures of what undoes a failed verb. They never replace the error that it failed with: they are logged, and ride along with
 * it to the end of its sentence.
 */
import { messageOf } from '../../errors/runtime-error.ts'
import { log } from './logger.ts'

const failuresOf = new WeakMap<object, unknown[]>()

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
  if (typeof error !== 'object' || error === null) return
  failuresOf.set(error, [...(failuresOf.get(error) ?? []), failure])
}

/** `: left behind: ...` for the end of the error's sentence, with each failure once; empty when everything was undone. */
export function leftBehind(error: unknown): string {
  const failures = new Set(sentences(error))
  return failures.size === 0 ? '' : `: left behind: ${[...failures].join('; ')}`
}

/** Those of the errors that caused it are its own. */
function sentences(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return []
  const failures = failuresOf.get(error) ?? []
  const own = failures.flatMap((failure) => [messageOf(failure), ...sentences(failure)])
  return error instanceof Error && error.cause !== undefined ? [...own, ...sentences(error.cause)] : own
}
