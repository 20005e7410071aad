/** Where what is slow to build is kept, and how tools are run there. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const cache = resolve(import.meta.dirname, '../node_modules/.cache/crio-lxc')

/** Ends the build with what the tool says when it fails. */
export function run(command: string, args: readonly string[], cwd = cache): void {
  mkdirSync(cache, { recursive: true })
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}

export function output(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim()
}

/** A directory of the cache that is there as a whole or not at all. */
export function makeWhole(path: string, fill: (directory: string) => void): void {
  const directory = join(cache, `making-${process.pid}`)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  try {
    fill(directory)
    renameSync(directory, path)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
