import { setTimeout as delay } from 'node:timers/promises'

export interface WaitOptions {
  readonly timeoutMs?: number
  /** What is waited for, in the words of the failure. */
  readonly what?: string
}

/**
 * Evaluates `condition` until it gives something other than false, null or undefined, and returns that; fails after
 * `timeoutMs` (default 10 000). The only way in which these tests wait.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what = condition.toString() }: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== false && value !== null && value !== undefined) return value as NonNullable<Exclude<T, false>>
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await delay(5)
  }
}
