import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('kill', () => {
  it('refuses an empty signal', async () => {
    const { id } = await t.running()
    expect(await t.runtime(['kill', id, ''])).toMatchObject({ exitCode: 1 })
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })

  it.each(['SIGRTMIN+3', 'RTMIN+3', 'rtmin+3'])('sends %s, the STOPSIGNAL of systemd images', async (signal) => {
    const container = await t.running({ args: ['/probe', '--signals'] })
    await t.ok(['kill', container.id, signal])
    await waitFor(() => container.result.output() === 'ready\n37\n')
  })

  it.each(['65', '-1', '1.5', 'SIGRTMIN+99', 'TERM\n'])('refuses the signal %j', async (signal) => {
    const { id } = await t.running()
    const result = await t.runtime(['kill', id, '--', signal])
    expect(result.exitCode).toBe(1)
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })
})
