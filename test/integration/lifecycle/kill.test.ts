import { describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../../support/containers.ts'
import { childrenOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { isRunc } from '../../support/runtime.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** A container that prints the number of each signal it gets. */
async function listening(): Promise<Created> {
  const container = await t.running({ args: ['/probe', '--signals'] })
  await waitFor(() => container.result.output() === 'ready\n')
  return container
}

describe('kill', () => {
  it('sends SIGTERM to init by default', async () => {
    const { id, result } = await listening()
    await t.ok(['kill', id])
    await waitFor(() => result.output() === 'ready\n15\n')
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })

  it.each([
    ['HUP', 1],
    ['SIGHUP', 1],
    ['sighup', 1],
    ['usr1', 10],
    ['10', 10],
    ['SIGWINCH', 28],
    ['SIGCHLD', 17],
    ['15', 15],
    ['QUIT', 3],
    ['37', 37],
  ])('sends %s as signal %i', async (name, number) => {
    const { id, result } = await listening()
    await t.ok(['kill', id, name])
    await waitFor(() => result.output() === `ready\n${number}\n`)
  })

  it.each(['9', 'KILL', 'SIGKILL', 'kill', 'sigkill'])('%s ends the container', async (signal) => {
    const { id, pid } = await t.running()
    const result = await t.ok(['kill', id, signal])
    expect([result.stdout, result.stderr]).toEqual(['', ''])
    await t.waitForStatus(id, 'stopped')
    await waitFor(() => !isAlive(pid))
  })

  it('0 sends nothing and tells whether the container is there', async () => {
    const { id, result } = await listening()
    await t.ok(['kill', id, '0'])
    await t.ok(['kill', id, 'USR1'])
    await waitFor(() => result.output() === 'ready\n10\n')
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    expect(await t.runtime(['kill', id, '0'])).toMatchObject({ exitCode: 1 })
  })

  it('ends a created container', async () => {
    const { id, pid } = await t.create()
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    // runc's init is a Go program until start, and its state is that of the first of its threads.
    if (isRunc) await waitFor(() => !isAlive(pid))
    expect(isAlive(pid)).toBe(false)
  })

  it('sends a signal once', async () => {
    const { id, result } = await listening()
    await t.ok(['kill', id, 'USR1'])
    await t.ok(['kill', id, 'USR2'])
    await waitFor(() => result.output().endsWith('12\n'))
    expect(result.output()).toBe('ready\n10\n12\n')
  })

  it.each(['NOSUCH', 'SIGNOSUCH', '-1x', '9x'])('refuses the signal %j and sends nothing', async (signal) => {
    const { id, result } = await listening()
    const refused = await t.runtime(['kill', id, ...(signal.startsWith('-') ? ['--'] : []), signal])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr.trim()).not.toBe('')
    await t.ok(['kill', id, 'USR1'])
    await waitFor(() => result.output().endsWith('10\n'))
    expect(result.output()).toBe('ready\n10\n')
  })

  it('names the unknown signal', async () => {
    const { id } = await t.running()
    expect((await t.runtime(['kill', id, 'NOSUCH'])).stderr).toMatch(/unknown signal.*NOSUCH/i)
  })

  it('says "container not running" for a stopped container', async () => {
    const { id } = await t.stopped()
    for (const args of [
      ['kill', id],
      ['kill', id, '9'],
    ]) {
      const result = await t.runtime(args)
      expect(result.exitCode).toBe(1)
      expect(result.stderr).toMatch(/container not running/)
    }
  })

  it('--all is content with a stopped container', async () => {
    const { id } = await t.stopped()
    await t.ok(['kill', '--all', id, '9'])
  })

  it('says "does not exist" for an id that is not there', async () => {
    const result = await t.runtime(['kill', 't-missing', '9'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/container does not exist/)
  })

  it.each(['--all', '-a'])('%s reaches every process of the container', async (flag) => {
    const { id, pid } = await t.running({
      args: ['sh', '-c', 'sleep 1001 & sleep 1002 & wait'],
      spec: (spec) => shareWithHost(spec, 'pid'),
    })
    const children = await waitFor(() => {
      const found = childrenOf(pid)
      return found.length === 2 ? found : undefined
    })
    await t.ok(['kill', flag, id, 'KILL'])
    await waitFor(() => [pid, ...children].every((each) => !isAlive(each)))
  })

  it('takes the order of CRI-O: kill -a ID 9', async () => {
    const { id } = await t.running()
    await t.ok(['kill', '-a', id, '9'])
    await t.waitForStatus(id, 'stopped')
  })

  it('without --all signals init alone', async () => {
    const { id, pid } = await t.running({
      args: ['sh', '-c', 'trap "echo trapped" USR1; sleep 1001 & while :; do wait; done'],
    })
    const [child = 0] = await waitFor(() => {
      const found = childrenOf(pid)
      return found.length === 1 ? found : undefined
    })
    await t.ok(['kill', id, 'USR1'])
    expect(isAlive(child)).toBe(true)
  })
})
