/**
 * Prints the commit that is being built, for `--version`: COMMIT when a packager sets it, else HEAD of this checkout,
 * "-dirty" when a file that git knows has changed. Prints nothing outside a git checkout, as from a release archive.
 */
import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'

const root = realpathSync(process.argv[2] ?? resolve(import.meta.dirname, '..'))
process.stdout.write(process.env.COMMIT || commitOf(root))

function commitOf(directory: string): string {
  // An archive that was unpacked inside another repository is not a checkout of that one.
  if (git(directory, 'rev-parse', '--show-toplevel') !== directory) return ''
  return git(directory, 'describe', '--always', '--abbrev=40', '--exclude=*', '--dirty')
}

/** The empty string when git is missing or refuses, for instance a checkout that belongs to another user. */
function git(directory: string, ...args: readonly string[]): string {
  return spawnSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).stdout?.trim() ?? ''
}
