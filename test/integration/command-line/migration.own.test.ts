/** docs/migration.md: its rows, held against the program, and against the runc and the crun of this machine. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { knowsVariable } from '../../../packages/runtime-cli/src/command-line/global-options.ts'
import { findProgram } from '../../callers/support/find-program.ts'
import { useContainers } from '../../support/containers.ts'
import { textOf } from '../../support/documents.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'runc')
const t = useContainers()
const document = textOf('docs/migration.md')
const helpText = (program: string, words: readonly string[]): string =>
  spawnSync(program, [...words, '--help'], { encoding: 'utf8' }).stdout

describe('from 0.0.3', () => {
  const renamed = [...document.matchAll(/^\| `(.*--.*)` \| `(--.*)` \|$/gm)].map(([, old = '', now = '']) => [old, now])

  it('has rows of flags', () => expect(renamed.length).toBeGreaterThan(7))

  it.each(renamed)('%s is an error that leads to %s', async (old = '', now = '') => {
    const refused = await t.runtime(words(old))
    const [flag] = now.split(' ')
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^flag provided but not defined/) })
    // A flag that has kept its name is global: the sentence says that it goes before the verb.
    expect(refused.stderr).toContain(old.includes(`${flag} `) ? 'it goes before' : flag)
    expect((await t.runtime(words(now))).stderr).not.toContain('flag provided')
  })

  const words = (line: string): string[] =>
    line
      .replace('FILE', '/bin/true')
      .replace('ID', 'nobody')
      .replace(/(?<= )create/, `create --bundle ${t.directory}/nowhere`)
      .split(' ')

  it('all of its variables are read', () => {
    const variables =
      `LOG_LEVEL CONTAINER_LOG_LEVEL LOG_FILE LOG_TIMESTAMP MONITOR_CGROUP INIT_CMD START_CMD CONTAINER_HOOK
      APPARMOR CAPABILITIES CGROUP_DEVICES SECCOMP CREATE_TIMEOUT CREATE_HOOK CREATE_HOOK_TIMEOUT START_TIMEOUT
      KILL_TIMEOUT DELETE_TIMEOUT`.split(/\s+/)
    expect(variables.filter((name) => !knowsVariable(`CRIO_LXC_${name}`))).toEqual([])
  })

  it('its containers are refused by their version', async () => {
    const directory = join(t.root, 'old')
    mkdirSync(directory)
    t.defer(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, 'container.json'), '{"ContainerID":"old","PidFile":"/b/pidfile"}')
    for (const verb of ['state', 'start', 'kill', 'delete']) {
      const { exitCode, stderr } = await t.runtime([verb, 'old'])
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('it has version none'),
      })
    }
    expect(document).toContain('it has version none')
  })
})

/** Long options of a help text, which begin its lines. */
function optionsOf(help: string): string[] {
  return [...help.matchAll(/^ +(?:-\w,? +)?--([a-z][\w-]*)/gm)].map(([, name = '']) => name)
}

/** `VERB --OPTION` of the rows whose second cell names the runtime. */
function exceptionsOf(runtime: string): string[] {
  const rows = [...document.matchAll(/^\| (`.*) \| (\w+(?:, \w+)*) \| (.*) \|$/gm)]
  return rows
    .filter(([, , of = '', what = '']) => of.split(', ').includes(runtime) && what.startsWith('refused'))
    .flatMap(([, names = '']) => [...names.matchAll(/`(\w+ --[\w-]+)`/g)].map(([, name = '']) => name))
}

describe('options', () => {
  const verbs = 'create start run state kill delete exec list pause resume update ps events spec features'.split(' ')
  const missing = (runtime: string): string[] =>
    verbs.flatMap((verb) => {
      const ours = new Set([...optionsOf(helpText(runtimePath, [verb])), 'usage'])
      return optionsOf(helpText(findProgram(runtime), [verb])).flatMap((name) =>
        ours.has(name) ? [] : [`${verb} --${name}`],
      )
    })

  it("of runc's verbs are all there", () => {
    expect(optionsOf(helpText(findProgram('runc'), ['exec'])).length).toBeGreaterThan(10)
    expect(missing('runc')).toEqual([])
  })

  it("of crun's verbs are there, but for those of the table", () => {
    expect(optionsOf(helpText(findProgram('crun'), ['exec'])).length).toBeGreaterThan(10)
    expect(missing('crun').sort()).toEqual(exceptionsOf('crun').sort())
  })

  it("of runc before the verb are all there, and crun's", () => {
    const ours = new Set([...optionsOf(helpText(runtimePath, [])), 'usage'])
    for (const runtime of ['runc', 'crun'])
      expect(optionsOf(helpText(findProgram(runtime), [])).filter((name) => !ours.has(name))).toEqual([])
  })

  it.each(['checkpoint', 'restore'])('%s --help fails', async (verb) => {
    expect(await t.runtime([verb, '--help'])).toMatchObject({ exitCode: 1 })
  })

  it('accepted for callers of runc', async () => {
    for (const option of ['--criu=/x', '--rootless=auto', '--rootless=false']) await t.ok([option, 'list'])
    expect(await t.runtime(['--rootless=true', 'list'])).toMatchObject({ exitCode: 1 })
  })
})

/** What runc and the runtime under test do with the same calls, in turn, on a bundle of busybox. */
describe('exit codes and formats', () => {
  const calls = (id: string): readonly (readonly string[])[] => [
    ['state', id],
    ['exec', id, 'no-such-program'],
    ['exec', id, '/etc'],
    ['exec', id, 'sh', '-c', 'exit 9'],
    ['exec', id, 'sh', '-c', 'kill -9 $$'],
    ['start', id],
    ['delete', id],
    ['kill', id, 'KILL'],
  ]
  const callsAfterwards = (id: string): readonly (readonly string[])[] => [
    ['kill', id, 'KILL'],
    ['kill', '--all', id, 'KILL'],
    ['start', id],
    ['exec', id, 'id'],
    ['delete', id],
    ['delete', id],
    ['delete', '--force', id],
    ['state', id],
    ['run', 'a/b'],
    ['state'],
  ]

  /** Exit codes of the calls, in their order, and the fields of what is JSON. */
  async function outcomesOf(runtime: string) {
    const { path } = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const root = join(t.directory, `root-of-${runtime.split('/').at(-1)}`)
    const call = (...args: string[]) =>
      spawnSync(runtime, ['--root', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    spawnSync(runtime, ['--root', root, 'create', '--bundle', path, id], { stdio: 'ignore' })
    t.defer(() => void call('delete', '--force', id))
    call('start', id)
    const state = Object.keys(JSON.parse(call('state', id).stdout))
    const listed = Object.keys(JSON.parse(call('list', '--format', 'json').stdout)[0])
    const stats = Object.keys(JSON.parse(call('events', '--stats', id).stdout).data)
    const codes = calls(id).map((args) => `${args.join(' ').replace(id, 'ID')}: ${call(...args).status}`)
    await waitFor(() => JSON.parse(call('state', id).stdout).status === 'stopped')
    const afterwards = callsAfterwards(id).map((args) => `${args.join(' ').replace(id, 'ID')}: ${call(...args).status}`)
    const log = join(t.directory, 'log.json')
    call('--log', log, '--log-format', 'json', 'state', 'nobody')
    const entry = Object.keys(JSON.parse(readFileSync(log, 'utf8')))
    rmSync(log)
    return { codes, afterwards, state: state.sort(), listed: listed.sort(), stats: stats.sort(), entry: entry.sort() }
  }

  test('are those of runc', async () => {
    const [runc, ours] = [await outcomesOf(findProgram('runc')), await outcomesOf(runtimePath)]
    expect(runc.codes).toContain('exec ID no-such-program: 255')
    expect({ ...ours, entry: ours.entry.filter((name) => name !== 'errorCode') }).toEqual(runc)
    expect(ours.entry).toContain('errorCode')
  })

  test('but that of an unknown verb', () => {
    const code = (runtime: string) => spawnSync(runtime, ['no-such-verb']).status
    expect([code(findProgram('runc')), code(runtimePath)]).toEqual([3, 1])
    expect(document).toContain('| an unknown verb | 3 | 1 |')
  })
})
