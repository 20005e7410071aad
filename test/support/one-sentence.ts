import { expect } from 'vitest'
import type { Result } from './runtime.ts'

/** Fails unless the call ended with this status and said one sentence that matches, and nothing of the program's inside. */
export function expectOneSentence(result: Result, text: RegExp, exitCode = 1): void {
  expect(result).toMatchObject({ exitCode, stdout: '', timedOut: false })
  expect(result.stderr).toMatch(/^[^\n]+\n$/)
  expect(result.stderr).toMatch(text)
  expect(result.stderr).not.toMatch(/internal error|\[object|undefined|^\s+at /)
}
