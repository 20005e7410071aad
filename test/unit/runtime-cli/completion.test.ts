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
    ['values after =', ['list', '--format=t'], ['--format=table']],
    ['values right after =', ['list', '-f='], ['-f=json', '-f=table']],
    ['values of a global option after =', ['--log-level=d'], ['--log-level=debug', '--log-level=disabled']],
    ['values of a switch', ['--seccomp='], ['--seccomp=false', '--seccomp=true']],
    ['values that the parser does not check', ['--rootless', ''], ['auto', 'false', 'true']],
    ['the values 0 and 1', ['update', '--cpu-idle', ''], ['0', '1']],
    ['keys of filters', ['list', '--filter', ''], ['annotation=', 'id=', 'status=']],
    ['statuses of filters', ['list', '--filter', 'status=p'], ['status=paused']],
    ['ids of filters', ['list', '--filter=id=we'], ['--filter=id=web', '--filter=id=web-2']],
    ['capabilities', ['exec', '--cap', 'CAP_SYS_A'], ['CAP_SYS_ADMIN']],
    ["a command's options", ['kill', '--'], ['--all', '--help']],
    ["a command's options after its id", ['delete', 'web', '--f'], ['--force']],
    ['ids', ['state', 'we'], ['web', 'web-2']],
    ['ids after an option with a value', ['logs', '--lines', '5', 'd'], ['db']],
    ['further ids, each once', ['delete', '--force', 'web', ''], ['db', 'web-2']],
    ['signals', ['kill', 'web', 'K'], ['KILL']],
    ['signals with SIG', ['kill', 'web', 'SIGTS'], ['SIGTSTP']],
    ['signals in lower case', ['kill', 'web', 'sigse'], ['sigsegv']],
    ['codes of errors', ['explain', 'hook'], ['hook-failed']],
    ['shells', ['completion', ''], ['bash', 'fish', 'zsh']],
    ['help and completion', ['help', 'comp'], ['completion']],
    ['a command after an option that it may have', ['--log', 'journald:', 'li'], ['list']],
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
    ['ids below a root that is not there', ['--root', '/nonexistent/root', 'state', '']],
    ['ids of containers that a command does not work on', ['resume', '']],
    ['a path after =', ['--log-file=/t']],
    ['a value of an unknown option', ['list', '--nope=']],
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
