/** SIGKILL for a container whose pid namespace is not its own ends all of its processes, as in runc since 1.2; 1.1.5 ends init alone. */
import { describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../../support/containers.ts'
import { childrenOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** All of its pids. */
async function family(spec: (spec: Spec) => void): Promise<Created & { pids: number[] }> {
  const container = await t.running({ args: ['sh', '-c', 'sleep 1001 & sleep 1002 & wait'], spec })
  const children = await waitFor(() => {
    const found = childrenOf(container.pid)
    return found.length === 2 ? found : undefined
  })
  return { ...container, pids: [container.pid, ...children] }
}

describe.each<[string, () => Promise<(spec: Spec) => void>]>([
  ["the host's pid namespace", async () => (spec) => shareWithHost(spec, 'pid')],
  ["the runtime's own by its path", async () => (spec) => setNamespace(spec, 'pid', '/proc/self/ns/pid')],
  [
    "another container's",
    async () => {
      const { pid } = await t.running()
      return (spec) => setNamespace(spec, 'pid', `/proc/${pid}/ns/pid`)
    },
  ],
])('a container in %s', (_, sharing) => {
  it.each(['9', 'KILL'])('ends as a whole with kill %s', async (signal) => {
    const { id, pids } = await family(await sharing())
    await t.ok(['kill', id, signal])
    expect(pids.filter(isAlive)).toEqual([])
    expect(await t.state(id)).toMatchObject({ status: 'stopped' })
    expect(messageOf(await t.runtime(['kill', id, signal]))).toMatch(/container not running/)
  })

  it('keeps the others when init gets another signal', async () => {
    const { id, pids } = await family(await sharing())
    await t.ok(['kill', id, 'HUP'])
    await t.waitForStatus(id, 'stopped')
    expect(pids.filter(isAlive)).toHaveLength(2)
    await t.ok(['kill', id, 'KILL'])
    expect(pids.filter(isAlive)).toEqual([])
  })
})

it('only its own: the container whose pid namespace it shares runs on', async () => {
  const other = await t.running()
  const { id } = await family((spec) => setNamespace(spec, 'pid', `/proc/${other.pid}/ns/pid`))
  await t.ok(['kill', id, 'KILL'])
  expect(await t.state(other.id)).toMatchObject({ status: 'running' })
})
