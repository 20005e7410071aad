/** conmon's calls of create and exec: argv, closed and odd stdio, signal masks, environment, what it reads afterwards. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle, BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'
import { atoi, CONMON_BUFFER, call, lastRuntimeError } from '../support/contract.ts'

requires('root')
const t = useContainers()

const sleeping: BundleOptions = { args: ['sleep', '1000'] }

/** conmon's argv (runtime_args.c): the root as --root=VALUE, the id last. */
function createArgs({ path }: Bundle, id: string, more: readonly string[] = []): string[] {
  return ['create', '--bundle', path, '--pid-file', join(path, 'pidfile'), ...more, id]
}

/** What a process has open, by number. */
function descriptors(pid: number): Record<string, string> {
  const directory = `/proc/${pid}/fd`
  return Object.fromEntries(readdirSync(directory).map((fd) => [fd, readlinkSync(`${directory}/${fd}`)]))
}

/** Signals in a mask of /proc/PID/status. */
function signalMask(pid: number, name: 'SigBlk' | 'SigIgn'): bigint {
  return BigInt(
    `0x${new RegExp(`^${name}:\\t([0-9a-f]+)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]}`,
  )
}

/** `launch` without these of the standard descriptors. */
const closing = (fds: readonly number[]): string[] => [
  program('launch'),
  ...fds.flatMap((fd) => ['--close', String(fd)]),
  '--',
]

const closedSets = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]

async function create(
  flags: readonly string[] = [],
  globals: readonly string[] = [],
): Promise<Bundle & { id: string }> {
  const bundle = await t.bundle(sleeping)
  const id = t.id()
  const result = await t.runtime([...globals, ...createArgs(bundle, id, flags)], { env: {}, cwd: bundle.path })
  expect(result, result.stderr).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
  return { ...bundle, id }
}

describe('conmon create: argv', () => {
  it.each([
    ['nothing more', [], []],
    ['--no-pivot', ['--no-pivot'], []],
    ['--no-new-keyring', ['--no-new-keyring'], []],
    ['--no-pivot --no-new-keyring', ['--no-pivot', '--no-new-keyring'], []],
    ['--preserve-fds 0', ['--preserve-fds', '0'], []],
    ['--systemd-cgroup=false before --root', [], ['--systemd-cgroup=false']],
    ['--log-format=json --log FILE', [], ['--log-format=json', '--log', '/dev/null']],
  ])('%s: nothing on stdout and stderr, a pid for atoi', async (_, flags, globals) => {
    const { path, id } = await create(flags, globals)
    const pid = atoi(join(path, 'pidfile'))
    expect(await t.state(id)).toMatchObject({ pid, status: 'created', bundle: path })
    expect(readdirSync(path).sort()).toEqual(['config.json', 'pidfile', 'rootfs'])
  })

  it('a pid file of an earlier container is replaced', async () => {
    const bundle = await t.bundle(sleeping)
    writeFileSync(join(bundle.path, 'pidfile'), '1234567')
    const id = t.id()
    await t.ok(createArgs(bundle, id))
    expect(atoi(join(bundle.path, 'pidfile'))).toBe((await t.state(id)).pid)
  })
})

describe('conmon create: environment', () => {
  it.each([
    ['nothing', {}],
    ['empty PATH and HOME', { PATH: '', HOME: '' }],
    ['PATH and HOME that are not there', { PATH: '/no/such', HOME: '/no/such' }],
    ['pipes of conmon that are closed', { _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', XDG_RUNTIME_DIR: '/run/user/0' }],
    ['LISTEN_FDS without a number', { LISTEN_FDS: 'all', LISTEN_PID: '1' }],
    ['a locale', { LANG: 'de_DE.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' }],
  ])('%s', async (_, env) => {
    const bundle = await t.bundle({ args: ['/bin/env'] })
    const id = t.id()
    const created = await t.ok(createArgs(bundle, id), { env, cwd: bundle.path })
    await t.ok(['start', id], { env })
    await t.waitForStatus(id, 'stopped')
    const names = created
      .output()
      .trim()
      .split('\n')
      .map((line) => line.split('=', 1)[0])
    expect(names.sort()).toEqual(['HOME', 'PATH', 'TERM'])
  })
})

describe('conmon create: stdio', () => {
  // runc hands a blocked mask on, and opens its own files under the numbers of stdio that are free.
  requires('own-runtime')

  it.each(closedSets.map((closed) => [closed]))(
    'closed %j: the process has the null device there and nothing else',
    async (closed) => {
      const bundle = await t.bundle(sleeping)
      const id = t.id()
      await t.ok(createArgs(bundle, id), { through: closing(closed), env: {}, cwd: bundle.path })
      await t.ok(['start', id])
      const { pid } = await t.state(id)
      const open = descriptors(pid)
      expect(Object.keys(open)).toEqual(['0', '1', '2'])
      for (const fd of closed) expect(open[fd]).toBe('/dev/null')
    },
  )

  it('inherited descriptors 3 to 20 on / do not reach the process', async () => {
    const bundle = await t.bundle(sleeping)
    const id = t.id()
    await t.ok(createArgs(bundle, id), { through: [program('launch'), '--fds', '--'], env: {} })
    await t.ok(['start', id], { through: [program('launch'), '--fds', '--'], env: {} })
    expect(Object.keys(descriptors((await t.state(id)).pid))).toEqual(['0', '1', '2'])
  })

  it('ignored SIGPIPE and SIGCHLD and a full signal mask do not reach the process', async () => {
    const through = [program('launch'), '--ignore-signals', '--block-signals', '--']
    const bundle = await t.bundle(sleeping)
    const id = t.id()
    await t.ok(createArgs(bundle, id), { through, env: {}, cwd: bundle.path })
    await t.ok(['start', id], { through, env: {} })
    const { pid } = await t.state(id)
    expect([signalMask(pid, 'SigBlk'), signalMask(pid, 'SigIgn')]).toEqual([0n, 0n])
    await t.ok(['kill', id, 'KILL'], { through, env: {} })
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id], { through, env: {} })
  })

  it('a umask of 0777 cuts off neither the pid file nor the state', async () => {
    const bundle = await t.bundle(sleeping)
    const id = t.id()
    await t.ok(createArgs(bundle, id), { through: [program('launch'), '--umask', '0777', '--'], env: {} })
    expect(atoi(join(bundle.path, 'pidfile'))).toBe((await t.state(id)).pid)
  })
})

describe('conmon create: a failure', () => {
  const missing: BundleOptions = { args: ['no-such-program'] }

  it('is one message of one buffer on stderr, nothing on stdout, and no pid file', async () => {
    const bundle = await t.bundle(missing)
    const result = await call([`--root=${t.root}`, ...createArgs(bundle, t.id())], { cwd: bundle.path })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(Buffer.byteLength(result.stderr)).toBeLessThan(CONMON_BUFFER)
    expect(result.stderr).toContain('executable file not found in $PATH')
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(readdirSync(bundle.path).sort()).toEqual(['config.json', 'rootfs'])
    t.expectNothingLeft()
  })

  it('with --log-format=json is in the log as well', async () => {
    const bundle = await t.bundle(missing)
    const log = join(bundle.path, 'oci-log')
    const globals = [`--root=${t.root}`, '--log-format=json', `--log=${log}`]
    expect((await call([...globals, ...createArgs(bundle, t.id())])).exitCode).toBe(1)
    expect(lastRuntimeError(log)).toContain('executable file not found in $PATH')
  })

  it('is exit code 1 when conmon has closed the pipe of stderr', async () => {
    const bundle = await t.bundle(missing)
    const code = join(t.hostDirectory(), 'code')
    const through = ['sh', '-c', `(sleep 0.3; "$@" 2>&1; echo $? >${code}) | true; sleep 0.1`, 'sh']
    await t.runtime(createArgs(bundle, t.id()), { through })
    expect((await waitFor(() => readFileSync(code, 'utf8'))).trim()).toBe('1')
    t.expectNothingLeft()
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it('with a very long argument is still one buffer', async () => {
      const bundle = await t.bundle({ args: [`/${'x'.repeat(60_000)}`] })
      const result = await call([`--root=${t.root}`, ...createArgs(bundle, t.id())])
      expect(result.exitCode).toBe(1)
      expect(result.stderr.slice(0, CONMON_BUFFER)).toMatch(/file name too long|no such file/)
    })

    it.each(closedSets.map((closed) => [closed]))(
      'with %j closed is exit code 1, and nothing is left',
      async (closed) => {
        const bundle = await t.bundle(missing)
        const log = join(t.hostDirectory(), 'log')
        const args = ['--log', log, '--log-format', 'json', ...createArgs(bundle, t.id())]
        expect(await t.runtime(args, { through: closing(closed), env: {} })).toMatchObject({ exitCode: 1, stdout: '' })
        expect(lastRuntimeError(log)).toContain('executable file not found in $PATH')
        t.expectNothingLeft()
      },
    )
  })
})

describe('conmon exec', () => {
  requires('own-runtime')

  /** Argv of `conmon -e`: the pid file first, detached, the id last. */
  async function exec(args: readonly string[], through?: readonly string[]): Promise<{ pid: number; own: number }> {
    const { id, pid: own, bundle } = await t.running()
    const file = join(bundle.path, 'exec-process')
    writeFileSync(file, JSON.stringify({ ...bundle.spec.process, terminal: false, args }))
    const pidFile = join(bundle.path, 'exec-pid')
    const options = { env: {}, cwd: bundle.path, ...(through && { through }) }
    const result = await t.ok(['exec', '--pid-file', pidFile, '--process', file, '--detach', id], options)
    expect([result.stdout, result.stderr]).toEqual(['', ''])
    return { pid: atoi(pidFile), own }
  }

  it.each(closedSets.map((closed) => [closed]))(
    'closed %j: the process has the null device there and nothing else',
    async (closed) => {
      const { pid } = await exec(['sleep', '1000'], closing(closed))
      const open = descriptors(pid)
      expect(Object.keys(open)).toEqual(['0', '1', '2'])
      for (const fd of closed) expect(open[fd]).toBe('/dev/null')
    },
  )

  it('descriptors 3 to 20 on /, ignored signals and a full mask do not reach the process', async () => {
    const { pid } = await exec(
      ['sleep', '1000'],
      [program('launch'), '--fds', '--ignore-signals', '--block-signals', '--'],
    )
    expect(Object.keys(descriptors(pid))).toEqual(['0', '1', '2'])
    expect([signalMask(pid, 'SigBlk'), signalMask(pid, 'SigIgn')]).toEqual([0n, 0n])
  })
})
