/** A create that dies before it is told that its cgroup is another's: that one runs on, whatever is done with what is left. */
import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'
import { expectOk } from './support/aftermath.ts'
import { runWithFault, sample } from './support/fault.ts'

requires('root', 'own-runtime', 'cc', 'x64')
const t = useContainers()

it.each([
  ['KILL', 9],
  ['TERM', 15],
])('SIG%s at the calls of a create into a cgroup that is used', async (_, signal) => {
  const cgroupsPath = `/crio-lxc/${t.id()}/used`
  const inOne = (spec: { linux: { cgroupsPath?: string } }): void => {
    spec.linux.cgroupsPath = cgroupsPath
  }
  const other = await t.running({ spec: inOne })
  const bundle = await t.bundle({ spec: inOne })
  const attempt = async (at?: number): Promise<{ hit: boolean; calls: number }> => {
    const id = t.id()
    const fault = at === undefined ? {} : { fault: { at, signal } }
    const create = ['create', '--bundle', bundle.path, id]
    const { result, calls, hit } = await runWithFault(t, create, { watch: { role: 'main' }, ...fault })
    if (!hit) expect(messageOf(result)).toMatch(/^use cgroup \S+: it has processes/)
    await t.runtime(['kill', '--all', id, 'KILL'])
    await expectOk(t, ['delete', '--force', id])
    expect(await t.state(other.id)).toMatchObject({ status: 'running', pid: other.pid })
    return { hit, calls: calls.length }
  }
  const { calls } = await attempt()
  for (const at of sample(calls, 12)) await attempt(at)
})
