import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke, messageOf, runtimeName } from '../../support/runtime.ts'

requires('root')
const t = useContainers()

describe('global options', () => {
  it.each(['--version', '-v'])('%s prints NAME version X, the commit if there is one, and the spec', async (flag) => {
    const { exitCode, stdout, stderr } = await invoke([flag])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      new RegExp(`^${runtimeName} version \\d+\\.\\d+\\.\\d+\\S*\\n(commit: \\S+\\n)?spec: 1\\.\\d+\\.\\d+`),
    )
  })

  it.each(['--help', '-h', 'help'])('%s prints the commands and exits 0', async (flag) => {
    const { exitCode, stdout } = await invoke([flag])
    expect(exitCode).toBe(0)
    for (const command of ['create', 'start', 'run', 'state', 'kill', 'delete', 'exec', 'list', 'spec']) {
      expect(stdout).toMatch(new RegExp(`^.*\\b${command}\\b`, 'm'))
    }
  })

  it.each(['create', 'start', 'run', 'state', 'kill', 'delete', 'exec', 'list', 'spec'])(
    '%s --help exits 0 and names the command',
    async (command) => {
      const { exitCode, stdout } = await invoke([command, '--help'])
      expect(exitCode).toBe(0)
      expect(stdout).toContain(command)
    },
  )

  it('an unknown flag fails and is named', async () => {
    const result = await invoke(['--no-such-flag', 'list'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr + result.stdout).toMatch(/no-such-flag/)
  })

  it('an unknown flag of a command fails and is named', async () => {
    const result = await t.runtime(['state', '--no-such-flag', 'x'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr + result.stdout).toMatch(/no-such-flag/)
  })

  it.each(['create', 'start', 'state', 'kill', 'delete', 'exec', 'run'])('%s without an id fails', async (command) => {
    const result = await t.runtime([command])
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr + result.stdout).not.toBe('')
  })

  it.each([
    ['--root X', (root: string) => ['--root', root]],
    ['--root=X', (root: string) => [`--root=${root}`]],
    ['--systemd-cgroup=false --root=X', (root: string) => ['--systemd-cgroup=false', `--root=${root}`]],
    ['--debug=false --root X', (root: string) => ['--debug=false', '--root', root]],
  ])('finds the container by %s', async (_, flags) => {
    const { id } = await t.create()
    expect(await invoke([...flags(t.root), 'state', id])).toMatchObject({ exitCode: 0 })
  })

  it('keeps containers of different roots apart', async () => {
    const { id } = await t.create()
    expect(await invoke(['--root', t.hostDirectory(), 'state', id])).toMatchObject({ exitCode: 1 })
  })

  it('takes the flags of kill before the id and the flags of delete by = too', async () => {
    const { id } = await t.running()
    await t.ok(['kill', '--all=false', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', '--force=true', id])
  })

  it('takes the argv of conmon for create', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    const pidFile = join(bundle.path, 'pidfile')
    const args = [
      `--root=${t.root}`,
      'create',
      '--bundle',
      bundle.path,
      '--pid-file',
      pidFile,
      '--no-pivot',
      '--no-new-keyring',
      id,
    ]
    expect(await invoke(args, { cwd: bundle.path })).toMatchObject({ exitCode: 0 })
    expect(readFileSync(pidFile, 'utf8')).toBe(String((await t.state(id)).pid))
  })

  it('takes the argv of the containerd shim for create and start', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    const globals = ['--root', t.root, '--log', join(bundle.path, 'log.json'), '--log-format', 'json']
    const pidFile = join(bundle.path, 'init.pid')
    expect(
      await invoke([...globals, 'create', '--bundle', bundle.path, '--pid-file', pidFile, id], { cwd: bundle.path }),
    ).toMatchObject({ exitCode: 0 })
    expect(await invoke([...globals, 'start', id])).toMatchObject({ exitCode: 0 })
    expect(await invoke([...globals, 'delete', '--force', id])).toMatchObject({ exitCode: 0 })
    expect(Number(readFileSync(pidFile, 'utf8'))).toBeGreaterThan(1)
  })
})

describe('--log', () => {
  it('--log-format json: the last error line has level, msg and time', async () => {
    const log = join(t.hostDirectory(), 'log.json')
    const result = await t.runtime(['--log', log, '--log-format', 'json', 'state', 't-missing'])
    expect(result.exitCode).toBe(1)
    const lines = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    const last = lines.findLast(({ level }) => level === 'error')
    expect(last?.msg).toMatch(/container does not exist/)
    expect(last?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
  })

  it('--log-format=json carries the reason of a failed create', async () => {
    const log = join(t.hostDirectory(), 'log.json')
    const bundle = await t.bundle({ args: ['no-such-program'] })
    await t.runtime([`--log=${log}`, '--log-format=json', 'create', '--bundle', bundle.path, t.id()])
    const last = JSON.parse(readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '') as Record<string, string>
    expect(last).toMatchObject({ level: 'error' })
    expect(last.msg).toMatch(/exec: "no-such-program": executable file not found in \$PATH/)
  })

  it('text is the default format', async () => {
    const log = join(t.hostDirectory(), 'log.txt')
    await t.runtime(['--log', log, 'state', 't-missing'])
    expect(readFileSync(log, 'utf8')).toMatch(/^time="[^"]+" level=error msg="container does not exist.*"\n$/)
  })

  it('appends', async () => {
    const log = join(t.hostDirectory(), 'log.txt')
    for (const id of ['t-missing-1', 't-missing-2']) await t.runtime(['--log', log, 'state', id])
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(2)
  })

  it('an unknown format fails and is named', async () => {
    const result = await t.runtime(['--log-format', 'xml', 'list'])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/log-format|xml/)
  })

  it('a log file that cannot be written fails before anything is made', async () => {
    const bundle = await t.bundle()
    const directory = t.hostDirectory()
    const log = join(directory, 'missing', 'log')
    const result = await t.runtime(['--log', log, 'create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain(log)
    t.expectNothingLeft()
  })

  it('keeps stdout for data', async () => {
    const { id } = await t.create()
    const log = join(t.hostDirectory(), 'log')
    const { stdout } = await t.ok(['--debug', '--log', log, 'state', id])
    expect(JSON.parse(stdout)).toMatchObject({ id })
    expect(existsSync(log)).toBe(true)
    expect(statSync(log).isFile()).toBe(true)
  })
})
