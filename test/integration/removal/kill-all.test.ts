/** Nothing of a container survives, whatever it does meanwhile and whoever shares its pids. */
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

const PIDS = 60

/** Makes processes for ever; only the limit holds it. A shell would end when it cannot fork. */
const fork = `awk 'BEGIN { while (1) system("sleep 1 & sleep 0.5 & sleep 0.1 &") }' 2>/dev/null`
const bomb = `${fork} & ${fork} & wait`

function bounded(spec: Spec): void {
  spec.linux.resources.pids = { limit: PIDS }
}

/** As in a pod whose containers share their pids. */
function sharing(spec: Spec): void {
  bounded(spec)
  shareWithHost(spec, 'pid')
}

async function pidsOf(id: string): Promise<number[]> {
  return JSON.parse((await t.ok(['ps', '--format', 'json', id])).stdout) as number[]
}

describe.each([
  ['its own pids', bounded],
  ["the host's pids", sharing],
])('a fork bomb with %s', (_, spec) => {
  it('ends with kill --all', async () => {
    const { id } = await t.running({ args: ['sh', '-c', bomb], spec })
    await waitFor(async () => (await pidsOf(id)).length > PIDS / 2)
    await t.ok(['kill', '--all', id, 'KILL'])
    await waitFor(async () => ((await pidsOf(id)) ?? []).length === 0)
    await t.waitForStatus(id, 'stopped')
  })

  it('ends with delete --force', async () => {
    const { id } = await t.running({ args: ['sh', '-c', bomb], spec })
    await waitFor(async () => (await pidsOf(id)).length > PIDS / 2)
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  })

  it('ends with delete --force when it is paused', async () => {
    const { id } = await t.running({ args: ['sh', '-c', bomb], spec })
    await waitFor(async () => (await pidsOf(id)).length > PIDS / 2)
    await t.ok(['pause', id])
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  })
})

describe('what a container leaves behind', () => {
  it('is reached by kill --all after init has ended', async () => {
    const { id } = await t.stopped({ args: ['sh', '-c', 'sleep 1001 & sleep 1002 & exit 0'], spec: sharing })
    await waitFor(async () => (await pidsOf(id)).length === 2)
    await t.ok(['kill', '--all', id, '9'])
    await waitFor(async () => ((await pidsOf(id)) ?? []).length === 0)
  })

  it('is ended by delete', async () => {
    const { id } = await t.stopped({ args: ['sh', '-c', 'sleep 1001 & exit 0'], spec: sharing })
    const [left = 0] = await pidsOf(id)
    expect(left).toBeGreaterThan(0)
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  })
})

describe('kill --all', () => {
  it('sends other signals to every process and freezes none of them', async () => {
    const { id, result } = await t.running({
      args: ['sh', '-c', '/probe --signals & /probe --signals & wait'],
    })
    await waitFor(() => result.output() === 'ready\nready\n')
    await t.ok(['kill', '--all', id, 'WINCH'])
    await waitFor(() => result.output() === 'ready\nready\n28\n28\n')
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })
})
