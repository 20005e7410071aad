import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completions } from '../../../packages/runtime-cli/src/completion.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'crio-lxc-completion-'))
  for (const name of ['web', 'web-2', 'db', ':12-34', '.:13-35', '.:seccomp-1']) mkdirSync(join(root, name))
})
afterAll(() => rmSync(root, { recursive: true }))

/** The last word is what stands before the cursor. */
async function complete(...words: string[]): Promise<string[]> {
  return (await completions(words, root)).sort()
}

describe('completions()', () => {
  test.each([
    ['commands', ['ex'], ['exec', 'explain']],
    ['commands after global options', ['--debug', '--root', '/x', 'pa'], ['pause']],
    ['global options', ['--log-l'], ['--log-level']],
    ['values of a global option', ['--log-format', 'j'], ['json']],
    ['values after =, which bash makes a word of its own', ['list', '--format', '=', 't'], ['table']],
    ['values right after =', ['list', '--format', '='], ['json', 'table']],
    ["a command's options", ['kill', '--'], ['--all', '--help']],
    ["a command's options after its id", ['delete', 'web', '--f'], ['--force']],
    ['ids', ['kill', 'we'], ['web', 'web-2']],
    ['ids after an option with a value', ['update', '--memory', '64M', 'd'], ['db']],
    ['signals', ['kill', 'web', 'K'], ['KILL']],
    ['the word after debug', ['debug', ''], ['plan']],
    ['commands after help', ['help', 'fe'], ['features']],
  ])('%s', async (_, words, expected) => {
    expect(await complete(...words)).toEqual(expected)
  })

  test.each([
    ['a new id', ['create', '']],
    ['a path', ['create', '--bundle', '']],
    ['the command of exec and its options', ['exec', 'web', '-']],
    ['a bundle', ['debug', 'plan', '']],
    ['an unknown command', ['nope', '']],
    ['ids below a root that is not there', ['--root', '/nonexistent/root', 'kill', '']],
  ])('nothing for %s', async (_, words) => {
    expect(await complete(...words)).toEqual([])
  })

  test('ids below the root that is given', async () => {
    expect(await completions(['--root', root, 'state', ''], '/nonexistent/root')).toContain('db')
  })

  test('all commands for an empty line', async () => {
    expect(await complete('')).toEqual(expect.arrayContaining(['completion', 'create', 'help', 'update']))
  })
})
