import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { childrenOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

describe('delete', () => {
  it('removes a stopped container and everything of it', async () => {
    const { id } = await t.stopped()
    const result = await t.ok(['delete', id])
    expect([result.stdout, result.stderr]).toEqual(['', ''])
    expect(await t.stateOrNone(id)).toBeUndefined()
    t.expectNothingLeft()
  })

  it('kills and removes a created container', async () => {
    const { id, pid } = await t.create()
    await t.ok(['delete', id])
    expect(isAlive(pid)).toBe(false)
    t.expectNothingLeft()
  })

  it('refuses a running container and leaves it alone', async () => {
    const { id, pid } = await t.running()
    const result = await t.runtime(['delete', id])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/cannot delete container .*that is not stopped/)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })

  it.each(['--force', '-f'])('%s kills and removes a running container', async (flag) => {
    const { id, pid } = await t.running()
    await t.ok(['delete', flag, id])
    expect(isAlive(pid)).toBe(false)
    t.expectNothingLeft()
  })

  it('--force removes a created and a stopped container', async () => {
    const [created, stopped] = [await t.create(), await t.stopped()]
    await t.ok(['delete', '--force', created.id])
    await t.ok(['delete', '--force', stopped.id])
    t.expectNothingLeft()
  })

  it('fails with "does not exist" for an id that is not there', async () => {
    const result = await t.runtime(['delete', 't-missing'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/container does not exist/)
  })

  it('--force is content with an id that is not there', async () => {
    await t.ok(['delete', '--force', 't-missing'])
  })

  it('a second delete fails like any missing id', async () => {
    const { id } = await t.stopped()
    await t.ok(['delete', id])
    expect(await t.runtime(['delete', id])).toMatchObject({ exitCode: 1 })
  })

  it('--force ends every process of a container without its own pid namespace', async () => {
    const { id, pid } = await t.running({
      args: ['sh', '-c', 'sleep 1001 & sleep 1002 & wait'],
      spec: (spec) => shareWithHost(spec, 'pid'),
    })
    const children = await waitFor(() => {
      const found = childrenOf(pid)
      return found.length === 2 ? found : undefined
    })
    await t.ok(['delete', '--force', id])
    expect([pid, ...children].filter(isAlive)).toEqual([])
    t.expectNothingLeft()
  })

  it('lets the id be used again', async () => {
    const { id, bundle } = await t.stopped()
    await t.ok(['delete', id])
    await t.create(bundle, { id })
    expect(await t.state(id)).toMatchObject({ status: 'created' })
  })

  it('removes nothing outside of the root for the ids . and ..', async () => {
    const neighbour = join(t.directory, 'neighbour')
    mkdirSync(neighbour)
    for (const id of ['.', '..', '../neighbour', '/', '']) {
      await t.runtime(['delete', '--force', id])
      expect(existsSync(neighbour) && existsSync(t.root), `after delete --force ${JSON.stringify(id)}`).toBe(true)
    }
  })
})
