import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { onTerminal } from '../../support/terminal-session.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('delete of several containers', () => {
  it('removes each of them', async () => {
    const made = await Promise.all([t.create(), t.create(), t.create()])
    const result = await t.ok(['delete', ...made.map(({ id }) => id)])
    expect([result.stdout, result.stderr]).toEqual(['', ''])
    expect(made.filter(({ pid }) => isAlive(pid))).toEqual([])
    t.expectNothingLeft()
  })

  it('goes on after one that cannot be removed, and says which', async () => {
    const [running, first, last] = [await t.running(), await t.create(), await t.create()]
    const { exitCode, stderr } = await t.runtime(['delete', first.id, 'no-such', running.id, last.id])
    expect(exitCode).toBe(1)
    expect(stderr).toBe(
      `delete 2 of 4 containers: no-such: container does not exist: no-such; ${running.id}: ` +
        `cannot delete container that is not stopped: ${running.id} is running: kill it first or use --force\n`,
    )
    expect([isAlive(running.pid), isAlive(first.pid), isAlive(last.pid)]).toEqual([true, false, false])
  })

  it('with --force is content with what does not exist, and refuses what is no id', async () => {
    const { id, pid } = await t.running()
    expect((await t.runtime(['delete', '--force', 'no-such', '..', id])).stderr).toMatch(
      /^delete 1 of 3 containers: \.\.: [^;]+\n$/,
    )
    expect(isAlive(pid)).toBe(false)
    t.expectNothingLeft()
  })

  it('shows a person how far it is', async () => {
    const ids = [(await t.create()).id, (await t.create()).id]
    const session = onTerminal([runtimePath, '--root', t.root, 'delete', ...ids], {
      env: { PATH: process.env.PATH ?? '' },
    })
    expect(await session.exitCode).toBe(0)
    expect(session.screen()).toBe('\r\x1b[K0 of 2\r\x1b[K1 of 2\r\x1b[K')
  })
})
