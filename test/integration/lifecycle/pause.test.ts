import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cgroupOf, isV1, readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

const counting = { args: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done'] }

/** What the kernel says. */
function isFrozen(pid: number): boolean {
  return isV1('freezer')
    ? readCgroup(pid, 'freezer', 'freezer.state') === 'FROZEN'
    : t.read(`${cgroupOf(pid, 'pids')}/cgroup.events`).includes('frozen 1')
}

describe('pause and resume', () => {
  it('stop everything and let it go on', async () => {
    const { id, pid, result } = await t.running(counting)
    await waitFor(() => result.output().length > 0)
    expect(await t.ok(['pause', id])).toMatchObject({ stdout: '', stderr: '' })
    expect(isFrozen(pid)).toBe(true)
    expect(await t.state(id)).toMatchObject({ status: 'paused', pid })
    const before = result.output()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(result.output()).toBe(before)
    await t.ok(['resume', id])
    expect(await t.state(id)).toMatchObject({ status: 'running' })
    await waitFor(() => result.output().length > before.length)
  })

  it('take a container that is not started', async () => {
    const { id } = await t.create()
    await t.ok(['pause', id])
    expect(await t.state(id)).toMatchObject({ status: 'paused' })
    expect((await t.runtime(['start', id])).exitCode).toBe(1)
    await t.ok(['resume', id])
    expect(await t.state(id)).toMatchObject({ status: 'created' })
    await t.ok(['start', id])
  })

  it('say what they need', async () => {
    const { id } = await t.running()
    expect(messageOf(await t.runtime(['resume', id]))).toMatch(/container not paused/)
    await t.ok(['pause', id])
    expect(messageOf(await t.runtime(['pause', id]))).toMatch(/container not running/)
    const stopped = await t.stopped()
    expect(messageOf(await t.runtime(['pause', stopped.id]))).toMatch(/container not running/)
    for (const verb of ['pause', 'resume'])
      expect(messageOf(await t.runtime([verb, 't-missing']))).toMatch(/container does not exist/)
  })
})

describe('a paused container', () => {
  it('refuses exec', async () => {
    const { id } = await t.running()
    await t.ok(['pause', id])
    const result = await t.runtime(['exec', id, 'true'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/cannot exec in a paused container.*--ignore-paused/)
  })

  it('takes exec --ignore-paused, which waits', async () => {
    const { id } = await t.running()
    await t.ok(['pause', id])
    const exec = t.runtime(['exec', '--ignore-paused', id, 'echo', 'hello'])
    const early = await Promise.race([exec, new Promise((resolve) => setTimeout(() => resolve('waits'), 300))])
    expect(early).toBe('waits')
    await t.ok(['resume', id])
    expect(await exec).toMatchObject({ exitCode: 0, stdout: 'hello\n' })
  })

  it('dies of SIGKILL', async () => {
    const { id, pid } = await t.running()
    await t.ok(['pause', id])
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    expect(isAlive(pid)).toBe(false)
  })

  it('gets other signals when it goes on', async () => {
    const { id, result } = await t.running({ args: ['/probe', '--signals'] })
    await waitFor(() => result.output() === 'ready\n')
    await t.ok(['pause', id])
    await t.ok(['kill', id, 'USR1'])
    expect(await t.state(id)).toMatchObject({ status: 'paused' })
    await t.ok(['resume', id])
    await waitFor(() => result.output() === 'ready\n10\n')
  })

  it('is deleted by force only', async () => {
    const { id, pid } = await t.running()
    const directory = cgroupOf(pid, 'pids')
    await t.ok(['pause', id])
    expect(messageOf(await t.runtime(['delete', id]))).toMatch(/cannot delete container.* that is not stopped/)
    const { durationMs } = await t.ok(['delete', '--force', id])
    expect(durationMs).toBeLessThan(5000)
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(`${directory}`)).toBe(false)
  })
})
