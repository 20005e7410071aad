/**
 * Prints the version that is being built, of programs and packages: that of package.json, and what the tags of this checkout
 * say of it. `0.2.0` at the tag v0.2.0, `0.2.0+git...` after it, `0.2.0~git...` before there is one: dpkg sorts them so. Where
 * there is no checkout, as in a release archive, it is package.json's. VERSION goes first.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Throws an Error when a tag of another version, `v1.2.3`, points at the commit. */
export function builtVersion(checkout: string): string {
  const directory = realpathSync(checkout)
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string }
  if (process.env.VERSION) return process.env.VERSION
  const git = (...args: readonly string[]) => gitIn(directory, args)
  // An archive that was unpacked inside another repository is not a checkout of that one.
  if (git('rev-parse', '--show-toplevel') !== directory) return version
  const tags = git('tag', '--points-at', 'HEAD').split('\n')
  const releases = tags.filter((tag) => /^v\d+\.\d+\.\d+$/.test(tag))
  const tag = `v${version}`
  if (releases.some((release) => release !== tag))
    throw new Error(`the commit is tagged ${releases.join(', ')}, and package.json has ${version}: make them agree`)
  const dirty = git('describe', '--always', '--exclude=*', '--dirty').endsWith('-dirty')
  if (releases.includes(tag) && !dirty) return version
  const sign = git('tag', '--merged', 'HEAD', '--list', tag) === tag ? '+' : '~'
  const [time = '', commit = ''] = git('log', '-1', '--format=%cd %H', '--date=format-local:%Y%m%d%H%M%S').split(' ')
  return `${version}${sign}git${time}.${commit.slice(0, 7)}${dirty ? '.dirty' : ''}`
}

/** The empty string when git is missing or refuses, for instance a checkout that belongs to another user. */
function gitIn(directory: string, args: readonly string[]): string {
  const env = { ...process.env, TZ: 'UTC' }
  return spawnSync('git', ['-C', directory, ...args], { encoding: 'utf8', env }).stdout?.trim() ?? ''
}

if (process.argv[1] === import.meta.filename)
  process.stdout.write(builtVersion(process.argv[2] ?? resolve(import.meta.dirname, '..')))
