import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { inRuntimeRoot } from '../../support/leftovers.ts'
import { requires } from '../../support/requires.ts'
import { invoke, messageOf } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root')
const t = useContainers()

const set = (change: (spec: Spec) => unknown) => (spec: Spec) => void change(spec)

describe('config.json', () => {
  it.each<[string, (path: string) => void]>([
    ['missing', (path) => rmSync(join(path, 'config.json'))],
    [
      'a directory',
      (path) => {
        rmSync(join(path, 'config.json'))
        mkdirSync(join(path, 'config.json'))
      },
    ],
    ['empty', (path) => writeFileSync(join(path, 'config.json'), '')],
    ['cut off', (path) => writeFileSync(join(path, 'config.json'), '{"ociVersion": "1.0.2", "process": {')],
    ['no object', (path) => writeFileSync(join(path, 'config.json'), '[]')],
    ['binary', (path) => writeFileSync(join(path, 'config.json'), Buffer.from([0, 1, 2, 255, 254]))],
    ['an empty object', (path) => writeFileSync(join(path, 'config.json'), '{}')],
  ])('%s: create fails and leaves nothing', async (_, spoil) => {
    const bundle = await t.bundle()
    spoil(bundle.path)
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '', timedOut: false })
    expect(messageOf(result)).not.toBe('')
    expect(result.stderr).not.toMatch(/\n\s+at |goroutine|panic/)
    t.expectNothingLeft()
  })

  it('a bundle that does not exist fails and is named', async () => {
    const result = await t.runtime(['create', '--bundle', '/no/such/bundle', t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/no such file or directory|\/no\/such\/bundle/i)
  })

  it.each<[string, (spec: Spec) => void]>([
    ['empty args', set((spec) => (spec.process.args = []))],
    ['no process', set((spec) => delete (spec as Partial<Spec>).process)],
    ['args of a wrong type', set((spec) => (spec.process.args = 'sh' as never))],
    ['env of a wrong type', set((spec) => (spec.process.env = [1] as never))],
    ['uid of a wrong type', set((spec) => (spec.process.user.uid = 'root' as never))],
    ['uid below zero', set((spec) => (spec.process.user.uid = -1))],
    ['mounts of a wrong type', set((spec) => (spec.mounts = {} as never))],
    ['root of a wrong type', set((spec) => (spec.root = 'rootfs' as never))],
    ['an empty cwd', set((spec) => (spec.process.cwd = ''))],
    ['a relative cwd', set((spec) => (spec.process.cwd = 'tmp'))],
    ['a rootfs that does not exist', set((spec) => (spec.root.path = 'no-such-rootfs'))],
    ['a rootfs that is a file', set((spec) => (spec.root.path = 'config.json'))],
    ['an unknown namespace', set((spec) => spec.linux.namespaces.push({ type: 'nosuch' }))],
    ['an unknown rlimit', set((spec) => (spec.process.rlimits = [{ type: 'RLIMIT_NOSUCH', soft: 1, hard: 1 }]))],
    [
      'a soft rlimit above the hard one',
      set((spec) => (spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 9, hard: 1 }])),
    ],
  ])('%s: create fails and leaves nothing', async (_, change) => {
    const bundle = await t.bundle({ spec: change })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '', timedOut: false })
    expect(messageOf(result)).not.toBe('')
    t.expectNothingLeft()
  })
})

describe('ids', () => {
  it.each([
    ['empty', ''],
    ['.', '.'],
    ['..', '..'],
    ['with a slash', 'a/b'],
    ['above', '../t-x'],
    ['with a newline', 'a\nb'],
    ['with a space', 'a b'],
    ['of 2000 characters', 'a'.repeat(2000)],
    ['not ASCII', 'ä'],
  ])('%s is refused by create', async (_, id) => {
    const bundle = await t.bundle()
    const before = readdirSync(t.directory).sort()
    const result = await t.runtime(['create', '--bundle', bundle.path, id])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).not.toBe('')
    expect(readdirSync(t.directory).sort()).toEqual(before)
    expect(inRuntimeRoot(t.root)).toEqual([])
  })

  it.each(['state', 'start', 'kill', 'delete'])('.. is refused by %s', async (command) => {
    expect(await t.runtime([command, '..'])).toMatchObject({ exitCode: 1 })
  })

  it('.. is refused by exec', async () => {
    expect(await t.runtime(['exec', '..', 'true'])).toMatchObject({ exitCode: 255 })
  })
})

describe('a root that cannot be used', () => {
  it('a file in its place fails, names it and leaves nothing', async () => {
    const bundle = await t.bundle()
    const root = join(t.hostDirectory(), 'file')
    writeFileSync(root, '')
    const result = await invoke(['--root', root, 'create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toContain(root)
    t.expectNothingLeft()
  })

  it('one below /proc fails and leaves nothing', async () => {
    const bundle = await t.bundle()
    const result = await invoke(['--root', '/proc/no-such/root', 'create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).not.toBe('')
    t.expectNothingLeft()
  })
})

describe('a pid file that cannot be written', () => {
  it('fails create and leaves nothing', async () => {
    const bundle = await t.bundle()
    const pidFile = join(t.hostDirectory(), 'missing', 'pid')
    const result = await t.runtime(['create', '--pid-file', pidFile, '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toContain('no such file or directory')
    t.expectNothingLeft()
  })
})

describe('a damaged state', () => {
  it('fails state, kill and start with a message, and works again when it is restored', async () => {
    const { id, pid } = await t.running()
    const directory = join(t.root, id)
    const stateFile = readdirSync(directory).includes('container.json') ? 'container.json' : 'state.json'
    const original = t.read(join(directory, stateFile))
    writeFileSync(join(directory, stateFile), original.slice(0, 20))
    for (const args of [
      ['state', id],
      ['kill', id],
      ['start', id],
    ]) {
      const result = await t.runtime(args)
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).not.toBe('')
    }
    writeFileSync(join(directory, stateFile), original)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })
})
