/** What no runtime may take for a container. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
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
    const result = await t.attemptCreate(bundle)
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
    const result = await t.attemptCreate(bundle)
    expect(result).toMatchObject({ exitCode: 1, stdout: '', timedOut: false })
    expect(messageOf(result)).not.toBe('')
    t.expectNothingLeft()
  })
})
