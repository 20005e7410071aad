/** What could not be undone after an error, told with it (log/clean-up.ts). */
import { messageOf } from './runtime-error.ts'

const failuresOf = new WeakMap<object, unknown[]>()

export function addLeftBehind(error: unknown, failure: unknown): void {
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
