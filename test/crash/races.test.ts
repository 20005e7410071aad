/** Callers that do not wait for each other: one winner, and afterwards nothing that delete --force does not remove. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Created, useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { messageOf, type Result } from '../support/runtime.ts'

requires('root')
const t = useContainers()
const ROUNDS = process.env.CRASH === 'all' ? 40 : 8

const succeeded = (results: readonly Result[]) => results.filter(({ exitCode }) => exitCode === 0)
const failed = (results: readonly Result[]) => results.filter(({ exitCode }) => exitCode !== 0)
const many = <T>(count: number, task: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => task(index)))

it.each([2, 20])('%i creates of one id: one wins, the others find it taken', async (count) => {
  const bundle = await t.bundle()
  const id = t.id()
  const results = await many(count, () => t.runtime(['create', '--bundle', bundle.path, id]))
  expect(succeeded(results)).toHaveLength(1)
  for (const result of failed(results)) expect(messageOf(result)).toMatch(/already exists/)
  expect(await t.state(id)).toMatchObject({ status: 'created' })
  await t.ok(['start', id])
})

it('delete --force during start: the container is gone', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await t.create(bundle)
    const start = t.runtime(['start', id])
    await delay(round)
    await t.ok(['delete', '--force', id])
    await start
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  }
})

it('kill during create: what is created can be killed and deleted', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < ROUNDS; round++) {
    const id = t.id()
    const create = t.runtime(['create', '--bundle', bundle.path, id])
    await delay(round * 4)
    await t.runtime(['kill', id, 'KILL'])
    await create
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  }
})

it('exec during delete --force: it runs or it fails, and nothing is left', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await t.running(bundle)
    const exec = t.runtime(['exec', id, 'sleep', '1000'])
    await delay(round * 4)
    await t.ok(['delete', '--force', id])
    expect((await exec).exitCode).not.toBe(0)
    t.expectNothingLeft()
  }
})

it('pause during kill: it dies all the same', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await t.running(bundle)
    const pause = t.runtime(['pause', id])
    await delay(round)
    await t.runtime(['kill', id, 'KILL'])
    await pause
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  }
})

it('20 deletes of one container: at least one succeeds, the others find nothing', async () => {
  const { id } = await t.running()
  const results = await many(20, () => t.runtime(['delete', '--force', id]))
  for (const result of failed(results)) expect(messageOf(result)).toMatch(/does not exist|no such file/)
  expect(succeeded(results).length).toBeGreaterThan(0)
  t.expectNothingLeft()
})

it('50 containers at once live and die beside each other', { timeout: 180_000 }, async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const made: Created[] = await many(50, () => t.create(bundle))
  await many(50, async (index) => {
    const { id } = made[index] ?? expect.unreachable()
    await t.ok(['start', id])
    await t.ok(['exec', id, 'true'])
    expect(await t.state(id)).toMatchObject({ status: 'running' })
    await t.ok(['delete', '--force', id])
  })
  t.expectNothingLeft()
})
