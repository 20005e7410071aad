/** The defaults file, `config`, and the operator's hook after create. */
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** A defaults file, and the environment that names it. */
function defaults(text: string, { mode = 0o644, uid = 0 } = {}): { path: string; env: Record<string, string> } {
  const path = join(t.hostDirectory(), 'defaults')
  writeFileSync(path, text)
  chmodSync(path, mode)
  chownSync(path, uid, 0)
  return { path, env: { CRIO_LXC_DEFAULTS: path } }
}

describe('the defaults file', () => {
  it('sets what neither flag nor environment does', async () => {
    const log = join(t.hostDirectory(), 'log')
    const { env } = defaults(`CRIO_LXC_LOG_FILE=${log}\nCRIO_LXC_LOG_LEVEL=debug\n`)
    const { path } = await t.bundle()
    await t.ok(['create', '--bundle', path, t.id()], { env })
    expect(readFileSync(log, 'utf8')).toContain('"l":"debug"')
  })

  it.each<[string, string, { mode?: number; uid?: number }, RegExp]>([
    ['malformed', 'CRIO_LXC_LOG_LEVEL debug\n', {}, /, line 1: want KEY=VALUE/],
    ['of an unknown value', 'CRIO_LXC_LOG_LEVEL=loud\n', {}, /invalid CRIO_LXC_LOG_LEVEL "loud" in .*: want one of/],
    ['writable by all', '', { mode: 0o666 }, /others may write to it: chmod go-w/],
    ["another user's", '', { uid: 1000 }, /it belongs to user 1000/],
  ])('that is %s fails create, run and exec, and state, kill and delete warn', async (_, text, options, problem) => {
    const { id } = await t.running()
    const { env } = defaults(text, options)
    const { path } = await t.bundle()
    for (const verb of [
      ['create', '--bundle', path, t.id()],
      ['run', '--bundle', path, t.id()],
      ['exec', id, 'true'],
    ]) {
      const result = await t.runtime(verb, { env })
      expect(result.exitCode).toBe(verb[0] === 'exec' ? 255 : 1)
      expect(messageOf(result)).toMatch(problem)
    }
    for (const verb of [
      ['state', id],
      ['kill', id, 'KILL'],
      ['delete', '--force', id],
    ])
      expect((await t.ok(verb, { env })).stderr).toMatch(problem)
  })

  it('that is named and missing is told as well', async () => {
    const { path } = await t.bundle()
    const env = { CRIO_LXC_DEFAULTS: '/nowhere/crio-lxc' }
    const result = await t.runtime(['create', '--bundle', path, t.id()], { env })
    expect(messageOf(result)).toMatch(/read the defaults file \/nowhere\/crio-lxc: no such file or directory/)
    t.expectNothingLeft()
  })

  it('names variables that nothing reads, as the environment does', async () => {
    const { path, env } = defaults('CRIO_LXC_ROOTS=/x\n')
    const { stderr } = await t.ok(['list'], { env: { ...env, CRIO_LXC_LOG_FIEL: '/y' } })
    expect(stderr).toContain(`unknown variable CRIO_LXC_ROOTS in ${path}: did you mean CRIO_LXC_ROOT?`)
    expect(stderr).toContain('unknown variable CRIO_LXC_LOG_FIEL in the environment: did you mean CRIO_LXC_LOG_FILE?')
  })
})

describe('config', () => {
  it('says of each value where it comes from', async () => {
    const { path, env } = defaults('CRIO_LXC_MONITOR_CGROUP=mine.slice\n')
    const { stdout } = await t.ok(['config', '--format', 'json'], { env: { ...env, CRIO_LXC_KILL_TIMEOUT: '3s' } })
    const rows = JSON.parse(stdout) as { name: string; value: string; from: string }[]
    const row = (name: string) => rows.find((one) => one.name === name)
    expect(row('monitor-cgroup')).toMatchObject({ value: 'mine.slice', from: `CRIO_LXC_MONITOR_CGROUP in ${path}` })
    expect(row('kill-timeout')).toMatchObject({ value: '3s', from: 'CRIO_LXC_KILL_TIMEOUT' })
    expect(row('root')).toMatchObject({ value: t.root, from: 'flag' })
    expect(row('start-timeout')).toMatchObject({ value: '30s', from: 'default' })
  })

  it('--default prints a file that is one', async () => {
    const { stdout } = await t.ok(['config', '--default'])
    const { env } = defaults(stdout)
    expect((await t.ok(['list'], { env })).stderr).toBe('')
  })
})

describe('--create-hook', () => {
  /** A hook that writes its environment to a file. */
  function hook(script = 'exit 0'): { path: string; seen: () => string[] } {
    const out = join(t.hostDirectory(), 'seen')
    const path = join(t.hostDirectory(), 'hook')
    writeFileSync(path, `#!/bin/sh\nenv >${out}\n${script}\n`, { mode: 0o755 })
    return { path, seen: () => (existsSync(out) ? readFileSync(out, 'utf8').split('\n') : []) }
  }

  it('learns of the container by its environment', async () => {
    const { path, seen } = hook()
    const bundle = await t.bundle()
    const id = t.id()
    const log = join(t.hostDirectory(), 'log')
    await t.ok(['--create-hook', path, '--log-file', log, 'create', '--bundle', bundle.path, id])
    expect(seen()).toEqual(
      expect.arrayContaining([
        `CONTAINER_ID=${id}`,
        `LXC_CONFIG=${t.root}/${id}/config`,
        'RUNTIME_CMD=create',
        `RUNTIME_PATH=${t.root}/${id}`,
        `BUNDLE_PATH=${bundle.path}`,
        `SPEC_PATH=${bundle.path}/config.json`,
        `LOG_FILE=${log}`,
      ]),
    )
    expect(seen().filter((line) => line.startsWith('RUNTIME_ERROR='))).toEqual([])
  })

  it('runs after a create that failed, and is told why', async () => {
    const { path, seen } = hook()
    const bundle = await t.bundle({ args: ['/nowhere'] })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()], { env: { CRIO_LXC_CREATE_HOOK: path } })
    expect(result.exitCode).toBe(1)
    const [error = ''] = seen().filter((line) => line.startsWith('RUNTIME_ERROR='))
    expect(messageOf(result)).toContain(error.slice('RUNTIME_ERROR='.length))
    expect(error).toContain('/nowhere')
  })

  it.each([
    ['exit 3', 'it ended with exit code 3'],
    ['kill -9 $$', 'it was killed by signal 9'],
    ['exec sleep 60', 'it took longer than 300 ms, and was killed'],
  ])('changes nothing when it fails: %s', async (script, problem) => {
    const { path } = hook(script)
    const bundle = await t.bundle()
    const id = t.id()
    const { stderr } = await t.ok([
      '--create-hook',
      path,
      '--create-hook-timeout',
      '300ms',
      'create',
      '--bundle',
      bundle.path,
      id,
    ])
    expect(stderr).toContain(`run the create hook ${path}: ${problem}`)
    expect(await t.state(id)).toMatchObject({ status: 'created' })
  })

  it('that is missing is a warning', async () => {
    const bundle = await t.bundle()
    const { stderr } = await t.ok(['--create-hook', '/nowhere/hook', 'create', '--bundle', bundle.path, t.id()])
    expect(stderr).toMatch(/run the create hook \/nowhere\/hook: .*no such file or directory/)
  })

  it('runs for run as well', async () => {
    const { path, seen } = hook()
    const bundle = await t.bundle({ args: ['true'] })
    await t.ok(['--create-hook', path, 'run', '--bundle', bundle.path, t.id()])
    expect(seen()).toContain('RUNTIME_CMD=run')
  })
})
