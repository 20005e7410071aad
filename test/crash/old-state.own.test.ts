/** Runtime directories that are damaged, foreign, older or newer than the program, or of a time before a reboot. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Created, type State, useContainers } from '../support/containers.ts'
import { findCgroups, isAlive } from '../support/proc.ts'
import { writeRefusedPrograms } from '../support/refused-programs.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'
import type { Spec } from '../support/spec.ts'
import { badMessage, expectNothing } from './support/aftermath.ts'

requires('root', 'own-runtime')
const t = useContainers()
type Facts = Record<string, unknown>

const edit = (change: (facts: Facts) => void) => (path: string) => {
  const facts = JSON.parse(readFileSync(path, 'utf8')) as Facts
  change(facts)
  writeFileSync(path, JSON.stringify(facts))
}

/** Each: what becomes of container.json, and what the error says. */
const damages: Record<string, [damage: (path: string) => void, says: RegExp]> = {
  'is empty': [(path) => writeFileSync(path, ''), /it is empty/],
  'is truncated': [(path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 100)), /decode .*container\.json/],
  'is garbage': [(path) => writeFileSync(path, Buffer.from([0, 255, 10, 200])), /decode .*container\.json/],
  'is a number': [(path) => writeFileSync(path, '7'), /it is not an object/],
  'has another version': [
    edit((facts) => Object.assign(facts, { schemaVersion: 99 })),
    /it has version 99, and this program knows 1/,
  ],
  'has no version': [edit((facts) => delete facts['schemaVersion']), /it has version none/],
  'is of another container': [
    edit((facts) => Object.assign(facts, { containerId: 'other' })),
    /it is of the container "other"/,
  ],
  'names the root cgroup': [edit((facts) => Object.assign(facts, { cgroupDir: '/' })), /cgroupDir is missing/],
  'names a cgroup elsewhere': [
    edit((facts) => Object.assign(facts, { cgroupDir: '/a/../../b' })),
    /cgroupDir is missing/,
  ],
  'names no creator': [edit((facts) => Object.assign(facts, { creator: -1 })), /creator .*is damaged/],
  'is of another user': [(path) => chownSync(path, 1000, 1000), /another user may have written it \(uid 1000/],
  'may be written by others': [
    (path) => chmodSync(path, 0o666),
    /another user may have written it \(uid 0, mode 666\)/,
  ],
  'is a symbolic link': [
    (path) => {
      renameSync(path, `${path}.1.tmp`)
      symlinkSync(`${path}.1.tmp`, path)
    },
    /it is a symbolic link/,
  ],
  'is a fifo': [(path) => replace(path, () => execFileSync('mkfifo', [path])), /it is not a regular file/],
  'is a directory': [(path) => replace(path, () => mkdirSync(path)), /it is not a regular file/],
}

function replace(path: string, by: () => void): void {
  rmSync(path)
  by()
}

const stateFile = (id: string): string => join(t.root, id, 'container.json')

describe('container.json', () => {
  it.each(Object.entries(damages))(
    '%s: the verbs say so, delete --force removes everything',
    async (_, [damage, says]) => {
      const { id, pid, bundle } = await t.running({ args: ['sleep', '1000'] })
      const other = await t.create(bundle)
      damage(stateFile(id))
      for (const args of [
        ['state', id],
        ['start', id],
        ['kill', id, 'KILL'],
        ['exec', id, 'true'],
        ['pause', id],
        ['delete', id],
      ]) {
        const result = await t.runtime(args, { timeoutMs: 5000 })
        expect(result).toMatchObject({ exitCode: args[0] === 'exec' ? 255 : 1 })
        expect(messageOf(result)).toMatch(says)
        expect(messageOf(result)).toMatch(/delete the container with --force$/)
        expect(badMessage(result)).toBeUndefined()
      }
      const list = await t.ok(['list', '--format', 'json'])
      expect((JSON.parse(list.stdout) as State[]).map((state) => state.id)).toEqual([other.id])
      expect(list.stderr).toMatch(new RegExp(`^warning: skip ${id}: `))
      const quiet = await t.ok(['list', '--quiet'])
      expect(quiet).toMatchObject({ stdout: `${other.id}\n`, stderr: list.stderr })
      expect(messageOf(await t.runtime(['create', '--bundle', bundle.path, id]))).toMatch(/already exists/)
      expect(isAlive(pid)).toBe(true)
      await t.ok(['delete', '--force', id])
      expect(isAlive(pid)).toBe(false)
      await t.ok(['delete', '--force', other.id])
      await expectNothing(t, id)
      await t.create(bundle, { id })
    },
  )

  it('is missing: the container does not exist, delete --force removes it', async () => {
    const { id, pid, bundle } = await t.running({ args: ['sleep', '1000'] })
    rmSync(stateFile(id))
    const state = await t.runtime(['state', id])
    expect(messageOf(state)).toMatch(
      /^container does not exist: .*container\.json is missing: delete the rest with --force$/,
    )
    expect((await t.ok(['list', '-q'])).stderr).toMatch(/^warning: skip /)
    await t.ok(['delete', '--force', id])
    expect(isAlive(pid)).toBe(false)
    await expectNothing(t, id)
    await t.create(bundle, { id })
  })

  it('lacks what an older version did not write, or has what a later one writes: every verb works', async () => {
    const { id, pid } = await t.create({ args: ['sleep', '1000'] })
    const needed = ['schemaVersion', 'containerId', 'bundlePath', 'cgroupDir', 'initExecutable', 'madeCgroups']
    edit((facts) => {
      for (const name of Object.keys(facts)) if (!needed.includes(name)) delete facts[name]
      facts['later'] = { more: true }
    })(stateFile(id))
    expect(await t.state(id)).toMatchObject({ status: 'created', pid, ociVersion: '1.0.0' })
    await t.ok(['start', id])
    await t.ok(['exec', id, 'true'])
    await t.ok(['pause', id])
    await t.ok(['resume', id])
    expect((await t.ok(['list'])).stdout).toContain(id)
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    await expectNothing(t, id)
  })
})

describe('init.json', () => {
  it('says nothing of what its steps mean, as older versions wrote it: start knows a program that is refused', async () => {
    const bundle = await t.bundle({ args: ['/opt/crlf'] })
    writeRefusedPrograms(bundle.rootfs)
    const { id } = await t.create(bundle)
    edit((facts) => delete facts['startMeanings'])(join(t.root, id, 'init.json'))
    const path = join(t.hostDirectory(), 'log')
    await t.ok(['--log-file', path, 'start', id])
    expect(readFileSync(path, 'utf8')).toMatch(/"exec: \\"\/opt\/crlf\\": no such file or directory: .*CRLF/)
    expect((await t.state(id)).status).toBe('stopped')
    await t.ok(['delete', id])
    await expectNothing(t, id)
  })

  it.each([
    ['is empty', ''],
    ['names no process', '{}'],
    ['names every process', '{"init":{"pid":-1,"startTime":0}}'],
    ['is no object', '[]'],
  ])('%s: the verbs say so, delete --force removes everything', async (_, text) => {
    const { id, pid } = await t.running({ args: ['sleep', '1000'] })
    writeFileSync(join(t.root, id, 'init.json'), text)
    expect(messageOf(await t.runtime(['state', id]))).toMatch(/init\.json: .*delete the container with --force$/)
    await t.ok(['delete', '--force', id])
    expect(isAlive(pid)).toBe(false)
    await expectNothing(t, id)
  })
})

describe('a directory of the root', () => {
  it('that is empty is no container: delete --force removes it, create takes it', async () => {
    const [first, second] = [t.id(), t.id()]
    for (const id of [first, second]) mkdirSync(join(t.root, id))
    expect((await t.runtime(['delete', first])).stderr).toMatch(/does not exist/)
    await t.ok(['delete', '--force', first])
    expect(existsSync(join(t.root, first))).toBe(false)
    await t.create({}, { id: second })
  })

  it('with all that create can leave is removed by delete --force, without container.json too', async () => {
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
    const spec = (spec: Spec) => Object.assign(spec.linux, { seccomp })
    const env = { PATH: process.env['PATH'] ?? '', NOTIFY_SOCKET: '/run/nobody' }
    const { id, pid } = await t.create({ spec }, { env })
    expect(readdirSync(join(t.root, id))).toEqual(expect.arrayContaining(['fifo', 'notify', 'seccomp.bpf']))
    rmSync(join(t.root, id, 'container.json'))
    await t.ok(['delete', '--force', id])
    expect(isAlive(pid)).toBe(false)
    // The next containers', whoever this one was.
    for (const name of readdirSync(t.root).filter((name) => name.startsWith('.:seccomp-'))) rmSync(join(t.root, name))
    await expectNothing(t, id)
  })

  it('with files that are not ours is left alone', async () => {
    const id = t.id()
    mkdirSync(join(t.root, id))
    writeFileSync(join(t.root, id, 'thesis.txt'), 'years of work')
    const result = await t.runtime(['delete', '--force', id])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/it is no container's directory, it has "thesis.txt"/)
    expect(readFileSync(join(t.root, id, 'thesis.txt'), 'utf8')).toBe('years of work')
    rmSync(join(t.root, id), { recursive: true })
  })

  it('that a killed process was making is removed by the next delete --force', async () => {
    const mine = join(t.root, `:${process.pid}-${startTimeOf(process.pid)}`)
    for (const path of [join(t.root, ':4194300-1'), mine]) mkdirSync(path)
    expect((await t.ok(['list', '-q'])).stdout).toBe('')
    await t.ok(['delete', '--force', 't-missing'])
    expect([existsSync(join(t.root, ':4194300-1')), existsSync(mine)]).toEqual([false, true])
    rmSync(mine, { recursive: true })
  })
})

function startTimeOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? ''
}

describe('after a reboot', () => {
  /** The processes and cgroups go, the files stay. */
  async function reboot({ id, pid }: Created): Promise<void> {
    process.kill(pid, 'SIGKILL')
    await t.waitForStatus(id, 'stopped')
    for (const directory of findCgroups((name) => name === id)) execFileSync('rmdir', [directory])
  }

  it.each([[true], [false]])(
    'with pids and cgroups gone a container is stopped, and is deleted (running: %s)',
    async (start) => {
      const container = await t.create({ args: ['sleep', '1000'] })
      if (start) await t.ok(['start', container.id])
      await reboot(container)
      const { id } = container
      expect(await t.state(id)).toMatchObject({ status: 'stopped', pid: 0 })
      expect(messageOf(await t.runtime(['start', id]))).toMatch(/cannot start a container that has stopped/)
      expect(messageOf(await t.runtime(['kill', id, 'KILL']))).toMatch(/container not running/)
      expect(messageOf(await t.runtime(['exec', id, 'true']))).toMatch(/container not running/)
      await t.ok(['kill', '--all', id, 'KILL'])
      await t.ok(['delete', id])
      await expectNothing(t, id)
    },
  )

  it('a process that has the pid of init is not taken for it', async () => {
    const { id } = await t.create({ args: ['sleep', '1000'] })
    const innocent = await t.running({ args: ['sleep', '1000'] })
    await reboot({ ...(await t.state(id)), id } as unknown as Created)
    edit((facts) => Object.assign(facts['init'] as Facts, { pid: innocent.pid }))(join(t.root, id, 'init.json'))
    expect(await t.state(id)).toMatchObject({ status: 'stopped', pid: 0 })
    expect(messageOf(await t.runtime(['kill', id, 'KILL']))).toMatch(/container not running/)
    await t.ok(['delete', '--force', id])
    expect(isAlive(innocent.pid)).toBe(true)
  })
})
