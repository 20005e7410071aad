import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { parseGoDuration } from './go-duration.ts'

/** Milliseconds of `--interval`. Throws RuntimeError `usage`. */
export function parseInterval(text: string, such: string): number {
  const ms = milliseconds(text)
  if (ms > 0) return ms
  throw new RuntimeError('usage', `--interval: duration interval must be greater than 0: give one such as ${such}`)
}

function milliseconds(text: string): number {
  try {
    return parseGoDuration(text)
  } catch (error) {
    if (error instanceof RuntimeError) throw new RuntimeError('usage', `--interval: ${error.message}`, { cause: error })
    throw error
  }
}
