import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('start', () => {
  it('runs the process with the pid that create reported', async () => {
    const { id, pid } = await t.create({ args: ['sleep', '1000'] })
    const result = await t.ok(['start', id])
    expect([result.stdout, result.stderr]).toEqual(['', ''])
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
    const comm = t.read(`/proc/${pid}/comm`)
    expect(comm).toBe('sleep\n')
  })

  it('gives the process the stdio of create', async () => {
    const { id, result } = await t.create({ args: ['sh', '-c', 'echo to stdout; echo to stderr >&2'] })
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    expect([result.output(), result.errors()]).toEqual(['to stdout\n', 'to stderr\n'])
  })

  it('gives the process the stdin of create', async () => {
    const { id, result } = await t.create({ args: ['cat'] }, { input: 'typed\n' })
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    expect(result.output()).toBe('typed\n')
  })

  it('refuses a running container', async () => {
    const { id, pid } = await t.running()
    const result = await t.runtime(['start', id])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/cannot start an already running container/)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })

  it('refuses a stopped container', async () => {
    const { id } = await t.stopped()
    const result = await t.runtime(['start', id])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/cannot start a container that has stopped/)
  })

  it('refuses, without hanging, a created container whose init was killed', async () => {
    const { id, pid } = await t.create()
    process.kill(pid, 'SIGKILL')
    await t.waitForStatus(id, 'stopped')
    const result = await t.runtime(['start', id], { timeoutMs: 5000 })
    expect(result).toMatchObject({ exitCode: 1, timedOut: false })
    expect(result.stderr).toMatch(/cannot start a container that has stopped/)
  })

  it('refuses an id that does not exist', async () => {
    const result = await t.runtime(['start', 't-missing'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/container does not exist/)
  })

  it('returns before the process ends', async () => {
    const { id } = await t.create({ args: ['sleep', '1000'] })
    const { durationMs } = await t.ok(['start', id])
    expect(durationMs).toBeLessThan(5000)
  })
})
