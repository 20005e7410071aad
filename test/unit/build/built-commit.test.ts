import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { typescript } from '../../support/node.ts'

const script = resolve(import.meta.dirname, '../../../scripts/built-commit.ts')

let checkout: string
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'built-commit-'))
  writeFileSync(join(checkout, 'file'), 'one\n')
  git('init', '--quiet')
  git('add', 'file')
  git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '--message', 'one')
})
afterEach(() => rmSync(checkout, { recursive: true }))

function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', ['-C', checkout, ...args], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout.trim()
}

function builtCommit(directory: string, env: Record<string, string> = {}): string {
  const PATH = process.env.PATH ?? ''
  const { stdout, stderr, status } = spawnSync(process.execPath, [...typescript, script, directory], {
    encoding: 'utf8',
    env: { PATH, ...env },
  })
  expect(stderr).not.toMatch(/Error/)
  expect(status).toBe(0)
  return stdout
}

test('a checkout: HEAD, also when a tag points at it', () => {
  const head = git('rev-parse', 'HEAD')
  expect(head).toMatch(/^[0-9a-f]{40}$/)
  expect(builtCommit(checkout)).toBe(head)
  git('tag', 'v1.0.0')
  expect(builtCommit(checkout)).toBe(head)
})

test('a changed file makes it dirty, a new one does not', () => {
  const head = git('rev-parse', 'HEAD')
  writeFileSync(join(checkout, 'other'), '')
  expect(builtCommit(checkout)).toBe(head)
  writeFileSync(join(checkout, 'file'), 'two\n')
  expect(builtCommit(checkout)).toBe(`${head}-dirty`)
})

test('no checkout, also inside one: nothing', () => {
  const archive = join(checkout, 'archive')
  mkdirSync(archive)
  expect(builtCommit(archive)).toBe('')
  cpSync(join(checkout, 'file'), join(archive, 'file'))
  rmSync(join(checkout, '.git'), { recursive: true })
  expect(builtCommit(checkout)).toBe('')
})

test('without git: nothing', () => {
  expect(builtCommit(checkout, { PATH: '/nonexistent' })).toBe('')
})

test('COMMIT, which a packager sets, goes first', () => {
  expect(builtCommit(checkout, { COMMIT: 'v1.0.0-0-gabc' })).toBe('v1.0.0-0-gabc')
})
