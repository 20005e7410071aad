/** Exhaustion in which runc 1.1 hangs (files), or leaves what it has begun (memory, processes, no room for the pid file). */
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { inRuntimeRoot } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { badMessage } from './support/aftermath.ts'
import { around } from './support/around.ts'

requires('root', 'own-runtime')
const t = useContainers()

it.each([4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48])('at most %i open files', async (limit) => {
  const bundle = await t.bundle({ args: ['true'] })
  const id = t.id()
  const through = ['prlimit', `--nofile=${limit}`]
  const result = await t.runtime(['create', '--bundle', bundle.path, id], { through })
  if (result.exitCode === 0) await t.ok(['delete', '--force', id])
  else {
    // With less than that the engine does not come as far as our program.
    if (limit >= 8) expect(badMessage(result)).toBeUndefined()
    t.expectNothingLeft()
    expect(inRuntimeRoot(t.root)).toEqual([])
  }
  await t.create(bundle, { id })
})

it.each([4, 16, 24, 32, 40, 48])('at most %i MiB of memory around create', async (megabytes) => {
  const bundle = await t.bundle({ args: ['true'] })
  const id = t.id()
  const through = around(t, 'memory', ['memory.limit_in_bytes', 'memory.max'], megabytes << 20)
  const result = await t.runtime(['create', '--bundle', bundle.path, id], { through })
  if (result.exitCode === 0) expect(await t.state(id)).toMatchObject({ status: 'created' })
  await t.ok(['delete', '--force', id])
  t.expectNothingLeft()
  await t.create(bundle, { id })
})

it.each([1, 2, 4, 8, 16])('at most %i processes and threads around create', async (limit) => {
  const bundle = await t.bundle({ args: ['true'] })
  const id = t.id()
  const through = around(t, 'pids', ['pids.max', 'pids.max'], limit)
  const result = await t.runtime(['create', '--bundle', bundle.path, id], { through })
  if (result.exitCode === 0) expect(await t.state(id)).toMatchObject({ status: 'created' })
  await t.ok(['delete', '--force', id])
  t.expectNothingLeft()
  await t.create(bundle, { id })
})

it('no room for the pid file: create fails and leaves none', async () => {
  const full = t.hostDirectory('full-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', full])
  t.defer(() => void execFileSync('umount', [full]))
  writeFileSync(join(full, 'filler'), Buffer.alloc(4096))
  const bundle = await t.bundle({ args: ['true'] })
  const id = t.id()
  const result = await t.runtime(['create', '--bundle', bundle.path, '--pid-file', join(full, 'pid'), id])
  expect(result.exitCode).toBe(1)
  expect(inRuntimeRoot(t.root)).toEqual([])
  expect(badMessage(result)).toBeUndefined()
  expect(readdirSync(full)).toEqual(['filler'])
  rmSync(join(full, 'filler'))
  await t.ok(['create', '--bundle', bundle.path, '--pid-file', join(full, 'pid'), id])
})
