/** Completion with containers that are there, and by the script of bash, which breaks words as no other shell does. */
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke, runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** What each works on. */
const table = {
  start: 'created',
  pause: 'created running',
  resume: 'paused',
  kill: 'created running paused',
  exec: 'created running paused',
  update: 'created running paused',
  delete: 'created stopped',
  'delete --force': 'created running paused stopped',
  state: 'created running paused stopped',
  logs: 'created running paused stopped',
}

it('completes the ids of containers that a command works on, below the root of the defaults file too', async () => {
  const containers = [await t.create(), await t.running(), await t.running(), await t.stopped()]
  const [created, running, paused, stopped] = containers.map(({ id }) => id) as [string, string, string, string]
  await t.ok(['pause', paused])
  const ids: Readonly<Record<string, string>> = { created, running, paused, stopped }
  const found: Record<string, string> = {}
  for (const line of Object.keys(table)) {
    const { stdout } = await invoke(['--get-completions', '--root', t.root, ...line.split(' '), ''])
    const offered = stdout.split('\n')
    found[line] = Object.keys(ids)
      .filter((status) => offered.includes(ids[status] ?? ''))
      .join(' ')
  }
  expect(found).toEqual(table)

  const file = join(t.hostDirectory(), 'defaults')
  writeFileSync(file, `CRIO_LXC_ROOT=${t.root}\n`)
  chmodSync(file, 0o644)
  const { stdout } = await invoke(['--get-completions', 'start', ''], { env: { CRIO_LXC_DEFAULTS: file } })
  expect(stdout).toBe(`${created}\n`)
})

describe('the script for bash', () => {
  /** What bash makes of the words, which begin at each of its breaks. */
  const replies = (line: string, words: readonly string[]) => {
    const script = `source <("$1" completion)
COMP_LINE=$2 COMP_WORDS=("\${@:3}") COMP_CWORD=$(($# - 3))
_crio_lxc "$1" "" ""
printf '%s\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', runtimePath, line, ...words], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    return stdout.trim().split('\n').sort()
  }

  it.each([
    ['c ex', ['c', 'ex'], ['exec', 'explain']],
    ['c list --format=', ['c', 'list', '--format', '='], ['json', 'table']],
    ['c list --format=j', ['c', 'list', '--format', '=', 'j'], ['json']],
    ['c list --filter status=p', ['c', 'list', '--filter', 'status', '=', 'p'], ['paused']],
    ['c list --filter=status=p', ['c', 'list', '--filter', '=', 'status', '=', 'p'], ['paused']],
    ['c --log journald:x pa', ['c', '--log', 'journald', ':', 'x', 'pa'], ['pause']],
    ['c --log journald: pa', ['c', '--log', 'journald', ':', 'pa'], ['pause']],
    ['c completion ', ['c', 'completion', ''], ['bash', 'fish', 'zsh']],
  ])('%s', (line, words, expected) => {
    expect(replies(line, words)).toEqual(expected)
  })
})
