/** Failures of what undoes a failed verb: they ride along with the error that it failed with, and never replace it. */
import { messageOf } from './runtime-error.ts'

const failuresOf = new WeakMap<object, unknown[]>()

/** Runs every step, also after one that fails; the failures go with `error`. */
export function cleanUp(error: unknown, steps: Iterable<() => void>): void {
  for (const step of steps) {
    try {
      step()
    } catch (failure) {
      addCleanup(error, failure)
    }
  }
}

/** What undid the work before `error` has failed as well. */
export function addCleanup(error: unknown, failure: unknown): void {
  if (typeof error !== 'object' || error === null) return
  failuresOf.set(error, [...(failuresOf.get(error) ?? []), failure])
}

/** `: left behind: ...` for the end of the error's sentence, with each failure once; empty when everything was undone. */
export function leftBehind(error: unknown): string {
  const failures = new Set(sentences(error))
  return failures.size === 0 ? '' : `: left behind: ${[...failures].join('; ')}`
}

function sentences(error: unknown): string[] {
  const failures = (typeof error === 'object' && error !== null && failuresOf.get(error)) || []
  return failures.flatMap((failure) => [messageOf(failure), ...sentences(failure)])
}
