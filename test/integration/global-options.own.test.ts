/** Options and commands of other runtimes that callers try, and what is said of them. */
import { describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { invoke, messageOf } from '../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('checkpoint and restore', () => {
  it.each([
    ['checkpoint', '--help'],
    ['checkpoint', '-h'],
    ['help', 'checkpoint'],
    ['checkpoint', '--image-path', '/i', '--work-path', '/w', '--leave-running', '--file-locks', 'id'],
    ['restore', '--help'],
    ['restore', '--bundle', '/b', '--detach', '--image-path', '/i', '--work-path', '/w', 'id'],
  ])('%s %s fails with one sentence', async (...args) => {
    const result = await invoke(args)
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/^(checkpoint|restore) is not supported: [^\n]+\n$/)
  })
})

describe('options of crun and of older runc', () => {
  it('--cgroup-manager cgroupfs is the default', async () => {
    const bundle = await t.bundle({ args: ['echo', 'ran'] })
    const result = await t.runtime(['--cgroup-manager', 'cgroupfs', 'run', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'ran\n' })
  })

  it('--cgroup-manager=disabled is refused, and nothing is made', async () => {
    const bundle = await t.bundle()
    const result = await t.runtime(['--cgroup-manager=disabled', 'create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toContain('--cgroup-manager disabled is not supported')
    t.expectNothingLeft()
  })

  it('--criu FILE is accepted', async () => {
    expect(await t.runtime(['--criu', '/usr/sbin/criu', 'list', '-q'])).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('update --kernel-memory is ignored with a warning', async () => {
    const { id } = await t.running()
    const result = await t.ok(['update', '--kernel-memory', '1000000', id])
    expect(result.stderr).toBe('warning: --kernel-memory is ignored: Linux has no such limit any more\n')
  })
})
