import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach } from 'vitest'

/** Absolute path of a program of the machine: one of the given places, else the first of that name in PATH. */
export function findProgram(name: string, places: readonly string[] = []): string | undefined {
  const inPath = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name))
  return [...places, ...inPath].find((path) => existsSync(path))
}

/** Skips every test of the surrounding describe (or file) when the machine lacks the program, and says so. */
export function requiresProgram(name: string, places: readonly string[] = []): void {
  if (findProgram(name, places) !== undefined) return
  const reason = `needs ${name}: it is not installed`
  console.log(`skipped, ${reason}`)
  beforeEach((context) => {
    context.skip(reason)
  })
}
