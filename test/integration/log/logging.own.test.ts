import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { productNode } from '../../support/node.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** The lines of a log file as records. */
function records(path: string): Record<string, unknown>[] {
  return t
    .read(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('--debug with --log-file', () => {
  it('lets an operator follow a container through its life: steps, pids, cgroup, durations', async () => {
    const path = join(t.hostDirectory(), 'log')
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const flags = ['--debug', '--log-file', path]
    await t.ok([...flags, 'create', '--bundle', bundle.path, id])
    const { pid } = await t.state(id)
    await t.ok([...flags, 'start', id])
    await t.ok([...flags, 'exec', id, 'sh', '-c', 'exit 0'])
    await t.ok([...flags, 'kill', id, 'CONT'])
    await t.ok([...flags, 'kill', '--all', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok([...flags, 'delete', id])

    const lines = records(path)
    for (const line of lines) {
      expect(line).toMatchObject({
        l: / ends with exit code /.test(String(line['m'])) ? 'info' : 'debug',
        cid: id,
        ms: expect.any(Number),
        t: expect.stringMatching(/^\d{14}\.\d{3}$/),
      })
      expect(line['m']).toMatch(/ \(\d+(\.\d)? ms\)$/)
    }
    const of = (cmd: string, c: string) => lines.filter((line) => line['cmd'] === cmd && line['c'] === c)
    const words = (cmd: string, c: string) => of(cmd, c).map(({ m }) => String(m).replace(/ \([\d.]+ ms\)$/, ''))
    const cgroup = `/crio-lxc/${id}`
    expect(words('create', 'create')).toEqual([
      `${bundle.path}/config.json is valid`,
      expect.stringMatching(
        /^opened the rootfs .*\/rootfs, 0 mount sources and namespaces \(new: pid, .*; joined: none\)$/,
      ),
      `made ${t.root}/${id} and the cgroup ${cgroup}`,
      expect.stringMatching(/^launched the monitor, pid \d+$/),
      expect.stringMatching(/^wrote a plan of \d{2,} steps and \d+ cgroup limits$/),
      expect.stringMatching(/^init is ready/),
      `init is pid ${pid}, the monitor has ended`,
    ])
    expect(words('start', 'start')).toEqual([`init (pid ${pid}) has executed sleep`])
    expect(words('exec', 'exec')).toEqual([
      expect.stringMatching(new RegExp(`the cgroup ${cgroup}; pid \\d+ has executed sh$`)),
    ])
    expect(words('exec', 'supervise')).toEqual([expect.stringMatching(/^pid \d+ ended with exit code 0$/)])
    expect(words('kill', 'kill')).toEqual([
      `sent signal 18 to init, pid ${pid}`,
      `sent signal 9 to every process of the cgroup ${cgroup}: 1`,
    ])
    expect(words('delete', 'delete')).toEqual([
      `it was stopped, and init, pid ${pid}, has ended`,
      `emptied and removed the cgroup ${cgroup}`,
      `removed ${t.root}/${id}`,
    ])
    expect(of('create', 'create').at(-1)).toMatchObject({ pid })
    for (const cmd of ['create', 'start', 'exec', 'delete'])
      expect(words(cmd, 'cli')).toEqual([`${cmd} begins`, `${cmd} ends with exit code 0`])
  })

  it.each<[string, string[], string | undefined]>([
    ['of its container', ['state', 'no-such'], 'not-exist'],
    ['of its options', ['kill'], 'usage'],
    ['of its ID', ['state', 'a/b'], 'invalid-id'],
  ])(
    'a verb that fails because %s has the kind of its failure in the logs that are JSON',
    async (_, args, errorCode) => {
      const directory = t.hostDirectory()
      const flags = ['--log', `${directory}/runc`, '--log-format', 'json', '--log-file', `${directory}/file`]
      const { stderr } = await t.runtime([...flags, ...args])
      expect(records(`${directory}/runc`).at(-1)).toMatchObject({ level: 'error', msg: stderr.trim(), errorCode })
      const end = { code: 1, ms: expect.any(Number) }
      expect(records(`${directory}/file`).at(-1)).toMatchObject({ l: 'error', m: stderr.trim(), errorCode, ...end })
    },
  )

  it('says that a failed create was undone', async () => {
    const path = join(t.hostDirectory(), 'log')
    const bundle = await t.bundle({ args: ['/no/such/program'] })
    await t.runtime(['--debug', '--log-file', path, 'create', '--bundle', bundle.path, t.id()])
    expect(records(path).slice(-2)).toMatchObject([
      { l: 'debug', m: expect.stringContaining('undid') },
      { l: 'error', m: expect.stringContaining('no such file or directory') },
    ])
  })

  it('keeps arguments and variables out of the log', async () => {
    const path = join(t.hostDirectory(), 'log')
    const { id } = await t.running()
    await t.ok(['--debug', '--log-file', path, 'exec', '--env', 'PASSWORD=secret', id, 'sh', '-c', ': secret'])
    expect(t.read(path)).not.toContain('secret')
  })
})

describe('--log-file at its own level, info', () => {
  it('has each verb that changes something once, and the failure of any that failed', async () => {
    const path = join(t.hostDirectory(), 'log')
    const flags = ['--log-file', path]
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    await t.ok([...flags, 'create', '--bundle', bundle.path, id])
    await t.ok([...flags, 'start', id])
    await t.runtime([...flags, 'exec', id, 'sh', '-c', 'exit 3'])
    await t.runtime([...flags, 'start', id])
    await t.ok([...flags, 'delete', '--force', id])
    for (const look of [['list'], ['state', id], ['ps', id]]) await t.runtime([...flags, ...look])
    const lines = records(path).map(({ l, cmd, cid, m }) => `${l} ${cmd} ${cid} ${m}`)
    expect(lines).toEqual([
      expect.stringMatching(`^info create ${id} create ends with exit code 0 \\([\\d.]+ ms\\)$`),
      expect.stringMatching(`^info start ${id} start ends with exit code 0 `),
      expect.stringMatching(`^info exec ${id} exec ends with exit code 3 `),
      expect.stringMatching(`^error start ${id} cannot start an already running container`),
      expect.stringMatching(`^info delete ${id} delete ends with exit code 0 `),
      expect.stringMatching(`^error state ${id} container does not exist`),
      expect.stringMatching(`^error ps ${id} container does not exist`),
    ])
  })

  it("runc's log stays empty when a verb succeeds", async () => {
    const path = join(t.hostDirectory(), 'log')
    const { id } = await t.create()
    await t.ok(['--log', path, 'start', id])
    expect(t.read(path)).toBe('')
  })
})

describe('a create that fails', () => {
  it.each(['--log', '--log-file'])("keeps the lines of liblxc's log in %s", async (option) => {
    const path = join(t.hostDirectory(), 'log')
    const bundle = await t.bundle({ args: ['/no/such/program'] })
    const level = ['--container-log-level', 'debug']
    const result = await t.runtime([option, path, ...level, 'create', '--bundle', bundle.path, t.id()])
    expect(result.stderr).toMatch(/^exec: "\/no\/such\/program": [^\n]*\n$/)
    expect(t.read(path)).toMatch(/ DEBUG +conf - /)
    t.expectNothingLeft()
  })

  it('says in its sentence and in the log what could not be removed', async () => {
    const path = join(t.hostDirectory(), 'log')
    const id = t.id()
    const directory = join(t.root, id, 'kept')
    const script = `mkdir ${directory} && mount -t tmpfs none ${directory} && exit 3`
    const bundle = await t.bundle({
      args: ['true'],
      spec: (spec) =>
        Object.assign(spec, { hooks: { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script] }] } }),
    })
    t.defer(() => void spawnSync('sh', ['-c', `umount ${t.root}/*/kept`]))
    const result = await t.runtime(['--log', path, 'create', '--bundle', bundle.path, id])
    expect(result.stderr).toMatch(/^hooks\.createRuntime\[0\]: [^\n]*: left behind: remove [^\n]*: [^\n]*busy\n$/)
    expect(t.read(path)).toContain('left behind: ')
  })
})

describe('--debug with --log', () => {
  it.each(['json', 'text'])('has the same steps as %s', async (format) => {
    const path = join(t.hostDirectory(), 'log')
    const { id, pid } = await t.create()
    await t.ok(['--debug', '--log', path, '--log-format', format, 'start', id])
    const lines = t.read(path).trim().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(/level"?[=:]"?debug/)
    expect(lines[1]).toContain(`init (pid ${pid}) has executed true`)
  })
})

describe('unknown fields', () => {
  const future = (spec: Spec) => Object.assign(spec.linux, { colour: 'red' })

  it('are named with --debug, and ignored', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'], spec: future })
    const id = t.id()
    const { stderr } = await t.ok(['--debug', 'run', '--detach', '--bundle', bundle.path, id])
    expect(stderr).toContain(`debug: ignored the unknown fields of ${bundle.path}/config.json: linux.colour\n`)

    const update = await t.ok(['--debug', 'update', '--resources', '-', id], { input: '{"pids":{"Limit":5}}' })
    expect(update.stderr).toContain('ignored the unknown fields of standard input: linux.resources.pids.Limit\n')

    const file = join(t.hostDirectory(), 'process.json')
    const user = { uid: 0, gid: 0, shoe: 1 }
    writeFileSync(file, JSON.stringify({ cwd: '/', args: ['true'], env: ['PATH=/bin'], user }))
    const exec = await t.ok(['--debug', 'exec', '--process', file, id])
    expect(exec.stderr).toContain(`ignored the unknown fields of ${file}: process.user.shoe\n`)
  })

  it('are not mentioned without it, nor when there are none', async () => {
    const [odd, plain] = [await t.bundle({ args: ['true'], spec: future }), await t.bundle({ args: ['true'] })]
    expect((await t.ok(['run', '--bundle', odd.path, t.id()])).stderr).toBe('')
    expect((await t.ok(['--debug', 'run', '--bundle', plain.path, t.id()])).stderr).not.toContain('unknown')
  })
})

describe('without a log file', () => {
  it('--debug writes the steps to stderr, as runc does, and keeps stdout for data', async () => {
    const { id, pid } = await t.create()
    const result = await t.ok(['--debug', 'start', id])
    expect(result.stdout).toBe('')
    expect(result.stderr).toMatch(
      new RegExp(`^debug: start begins .*\\ndebug: init \\(pid ${pid}\\) has executed true`),
    )
  })

  it('without --debug nothing is written', async () => {
    const { id } = await t.create()
    expect(await t.ok(['start', id])).toMatchObject({ stdout: '', stderr: '' })
  })
})

describe('bunyan', () => {
  requires('node-22')
  // On Node the bundles are files, so that what is loaded can be seen.
  const program = resolve(import.meta.dirname, '../../../dist/lib/crio-lxc/crio-lxc.js')
  const opened = (...args: string[]): string[] => {
    const command = [productNode() ?? 'node', program, '--root', t.root, ...args]
    const { stderr } = spawnSync('strace', ['-f', '-e', 'trace=openat', ...command], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    return stderr.split('\n').filter((line) => line.includes('/lib/crio-lxc/'))
  }

  it('is not loaded unless the log file of the seed is asked for', () => {
    const log = join(t.hostDirectory(), 'log')
    for (const flags of [[], ['--debug'], ['--debug', '--log', log]]) {
      const files = opened(...flags, 'list')
      expect(files.length).toBeGreaterThan(1)
      expect(files.filter((line) => line.includes('seed-sink'))).toEqual([])
    }
    expect(opened('--log-file', log, 'list').filter((line) => line.includes('seed-sink'))).not.toEqual([])
  })
})

describe('--log-file', () => {
  it('writes lines with the fields of the seed, and none before there is something to say', async () => {
    const { id } = await t.create()
    const path = join(t.hostDirectory(), 'log')
    await t.runtime(['--log-file', path, '--log-level', 'error', 'state', 't-missing'])
    await t.ok(['--log-file', path, '--log-level', 'error', 'state', id])
    const lines = t
      .read(path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      l: 'error',
      cid: 't-missing',
      cmd: 'state',
      m: expect.stringContaining('does not exist'),
    })
    expect(lines[0]?.t).toMatch(/^\d{14}\.\d{3}$/)
  })
})
