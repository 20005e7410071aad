import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { builtVersion } from '../../../scripts/built-version.ts'

const repository = resolve(import.meta.dirname, '../../..')

let checkout: string
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'built-version-'))
  writeFileSync(join(checkout, 'package.json'), '{"version": "0.2.0"}')
})
afterEach(() => rmSync(checkout, { recursive: true }))

function git(...args: string[]): void {
  const env = { ...process.env, GIT_COMMITTER_DATE: '2026-05-04T03:02:01+02:00' }
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
  const { status, stderr } = spawnSync('git', ['-C', checkout, ...identity, ...args], { encoding: 'utf8', env })
  expect(status, stderr).toBe(0)
}

function commit(): void {
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--allow-empty', '--message', 'one')
}

/** As dpkg sorts them. */
function isOlder(version: string, than: string): boolean {
  return spawnSync('dpkg', ['--compare-versions', version, 'lt', than]).status === 0
}

test('builtVersion() is the version at its tag, and sorts what is built before and after it around it', () => {
  commit()
  const before = builtVersion(checkout)
  expect(before).toMatch(/^0\.2\.0~git20260504010201\.[0-9a-f]{7}$/)
  git('tag', 'v0.2.0')
  expect(builtVersion(checkout)).toBe('0.2.0')
  git('commit', '--quiet', '--allow-empty', '--message', 'two')
  const after = builtVersion(checkout)
  expect(after).toMatch(/^0\.2\.0\+git20260504010201\.[0-9a-f]{7}$/)
  expect([isOlder(before, '0.2.0'), isOlder('0.2.0', after), isOlder(after, '0.2.1~git1')]).toEqual([true, true, true])
})

test('builtVersion() of changed files is none of the tag', () => {
  commit()
  git('tag', 'v0.2.0')
  writeFileSync(join(checkout, 'package.json'), '{"version":   "0.2.0"}')
  expect(builtVersion(checkout)).toMatch(/^0\.2\.0\+git\d{14}\.[0-9a-f]{7}\.dirty$/)
})

test('builtVersion() refuses a tag of another version', () => {
  commit()
  git('tag', 'v0.3.0')
  expect(() => builtVersion(checkout)).toThrow('the commit is tagged v0.3.0, and package.json has 0.2.0')
})

test("builtVersion() of a release archive is package.json's", () => {
  expect(builtVersion(checkout)).toBe('0.2.0')
})

test('every package.json and the newest entry of the changelog have one version', () => {
  const read = (...path: string[]) => readFileSync(join(repository, ...path), 'utf8')
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const packages = readdirSync(join(repository, 'packages'))
  const versions = packages.map((name) => JSON.parse(read('packages', name, 'package.json')).version)
  expect(new Set(versions)).toEqual(new Set([version]))
  expect(/^## (\S+)$/m.exec(read('CHANGELOG.md'))?.[1]).toBe(version)
})
