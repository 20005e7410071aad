import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('state', () => {
  it('prints every field for a created container', async () => {
    const { id, bundle, pid } = await t.create({
      spec: (spec) => {
        spec.annotations = { 'org.example.key': 'välue', empty: '' }
      },
    })
    const state = await t.state(id)
    expect(state).toMatchObject({
      id,
      pid,
      status: 'created',
      bundle: bundle.path,
      rootfs: bundle.rootfs,
      annotations: { 'org.example.key': 'välue', empty: '' },
      owner: '',
    })
    expect(state.ociVersion).toMatch(/^1\.\d+\.\d+/)
  })

  it('prints created as RFC 3339 in UTC, between before and after', async () => {
    const before = Date.now()
    const { id } = await t.create()
    const { created = '' } = await t.state(id)
    expect(created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
    expect(Date.parse(created)).toBeGreaterThanOrEqual(before - 1000)
    expect(Date.parse(created)).toBeLessThanOrEqual(Date.now() + 1000)
  })

  it('follows the life of the container: created, running, stopped', async () => {
    const { id, pid } = await t.create({ args: ['sleep', '1000'] })
    expect(await t.state(id)).toMatchObject({ status: 'created', pid })
    await t.ok(['start', id])
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
    await t.ok(['kill', id, 'KILL'])
    expect(await t.waitForStatus(id, 'stopped')).toMatchObject({ status: 'stopped', pid: 0 })
  })

  it('keeps created and bundle after the container stopped', async () => {
    const { id, bundle } = await t.create()
    const { created } = await t.state(id)
    await t.ok(['start', id])
    expect(await t.waitForStatus(id, 'stopped')).toMatchObject({ id, created, bundle: bundle.path })
  })

  it('says stopped when init was killed from outside before start', async () => {
    const { id, pid } = await t.create()
    process.kill(pid, 'SIGKILL')
    expect(await t.waitForStatus(id, 'stopped')).toMatchObject({ pid: 0 })
  })

  it('prints JSON alone on stdout and nothing on stderr', async () => {
    const { id } = await t.create()
    const { stdout, stderr } = await t.ok(['state', id])
    expect(JSON.parse(stdout)).toBeTypeOf('object')
    expect(stdout.split('\n')[1]).toMatch(/^ {2}"/)
    expect(stderr).toBe('')
  })

  it('needs neither HOME nor PATH', async () => {
    const { id } = await t.create()
    expect((await t.ok(['state', id], { env: {} })).stdout).toContain('"created"')
  })

  it('fails with "does not exist" for an id that is not there', async () => {
    const result = await t.runtime(['state', 't-missing'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/container does not exist/)
  })
})
