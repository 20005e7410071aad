/**
 * A stopped container names a cgroup without processes, which another may take over: what is there then is not the first's. runc 1.1
 * and 1.3 know that in delete alone.
 */
import { describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, shareWithHost } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** The second has taken over the cgroup of the first. */
async function twoInOneCgroup(
  spec: (spec: Spec) => void = () => undefined,
): Promise<{ first: Created; second: Created }> {
  const cgroupsPath = `/crio-lxc/${t.id()}`
  const inOne = (container: Spec): void => {
    container.linux.cgroupsPath = cgroupsPath
    spec(container)
  }
  const first = await t.running({ spec: inOne })
  await t.ok(['kill', first.id, 'KILL'])
  await t.waitForStatus(first.id, 'stopped')
  return { first, second: await t.running({ spec: inOne }) }
}

it.each([[['delete']], [['delete', '--force']]])('%s leaves it to the container that has it now', async (command) => {
  const { first, second } = await twoInOneCgroup()
  await t.runtime([...command, first.id])
  expect(await t.stateOrNone(first.id)).toBeUndefined()
  expect(await t.state(second.id)).toMatchObject({ status: 'running', pid: second.pid })
})

describe('by the verbs of our own runtime', () => {
  requires('own-runtime')

  it.each([[['kill', '--all']], [['kill']]])('%s ends nothing of the container that has it now', async (command) => {
    const { first, second } = await twoInOneCgroup((spec) => shareWithHost(spec, 'pid'))
    await t.runtime([...command, first.id, 'KILL'])
    expect(await t.state(second.id)).toMatchObject({ status: 'running', pid: second.pid })
  })

  it('ps shows nothing of the container that has it now', async () => {
    const { first, second } = await twoInOneCgroup()
    const { stdout } = await t.runtime(['ps', '--format', 'json', first.id])
    expect(stdout).not.toContain(String(second.pid))
  })
})
