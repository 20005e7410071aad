/** Exhaustion in which runc 1.1 hangs (files), or cannot delete what it has begun (memory). */
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
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
    expect(readdirSync(t.root)).toEqual([])
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
