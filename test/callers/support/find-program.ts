import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Absolute path of a program that the suite needs: one of the given places, else the first of that name in PATH. */
export function findProgram(name: string, places: readonly string[] = []): string {
  const inPath = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name))
  const found = [...places, ...inPath].find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${name} is not installed: it is a Debian package of the same name`)
  return found
}
