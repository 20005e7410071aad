import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { everywhere, hookPoints, useHooks, wholeLife } from '../../support/hook-recorder.ts'
import { requires } from '../../support/requires.ts'
import { isRunc } from '../../support/runtime.ts'

requires('root')
const t = useContainers()
const withHooks = useHooks(t)

describe('a hook that fails', () => {
  it.each(['prestart', 'createRuntime', 'createContainer'] as const)(
    '%s fails create with the words of its stderr, and poststop hooks follow',
    async (point) => {
      const { r, bundle } = await withHooks((r) => ({
        [point]: [r.fail(), r.record('never')],
        startContainer: [r.record('never')],
        poststop: [r.record('poststop')],
      }))
      const id = t.id()
      const result = await t.runtime(['create', '--bundle', bundle.path, id])
      expect(result.exitCode).toBe(1)
      expect(result.stderr).toContain('the real cause')
      expect(r.order()).toEqual(['poststop'])
      expect(await t.stateOrNone(id)).toBeUndefined()
      t.expectNothingLeft()
    },
  )

  it('startContainer stops the container before its program runs', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['sh', '-c', `echo program >> ${r.directory}/order`]
      return { startContainer: [r.fail(), r.record('never')], poststop: [r.record('poststop')] }
    })
    const { id } = await t.create(bundle)
    const result = await t.runtime(['start', id])
    // runc's start has gone when its init finds that the hook failed.
    if (!isRunc) expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the real cause') })
    await t.waitForStatus(id, 'stopped')
    expect(r.order()).toEqual([])
    await t.ok(['delete', id])
    expect(r.order()).toEqual(['poststop'])
  })

  it('a program that does not exist fails create', async () => {
    const { bundle } = await withHooks(() => ({ createRuntime: [{ path: '/no/such/hook' }] }))
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/\/no\/such\/hook.*no such file or directory/)
    t.expectNothingLeft()
  })

  it('one that takes longer than its timeout is killed', async () => {
    const { bundle } = await withHooks((r) => ({ createRuntime: [{ ...r.shell('exec sleep 100'), timeout: 1 }] }))
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/timeout/)
    expect(result.durationMs).toBeLessThan(5000)
    t.expectNothingLeft()
  })

  it('a timeout that is not reached changes nothing', async () => {
    const { r, bundle } = await withHooks((r) => everywhere((at) => [{ ...r.record(at), timeout: 30 }]))
    await wholeLife(t, bundle)
    expect(r.order().sort()).toEqual([...hookPoints].sort())
  })

  it('run fails as create and start do, and leaves nothing', async () => {
    const { r, bundle } = await withHooks((r) => ({ startContainer: [r.fail()], poststop: [r.record('poststop')] }))
    const result = await t.run(bundle)
    expect(result.exitCode).not.toBe(0)
    expect(r.order()).toEqual(['poststop'])
    t.expectNothingLeft()
  })
})
