/** A create that dies before it is told that its cgroup is another's: that one runs on, whatever is done with what is left. */
import { mkdirSync } from 'node:fs'
import { constants } from 'node:os'
import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { cgroupMounts } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'
import { expectNothing, expectOk } from './support/aftermath.ts'
import { runWithFault, sample } from './support/fault.ts'

requires('root', 'own-runtime', 'cc', 'x64')
const t = useContainers()

/** A container that has ended, and is not deleted. */
async function stopped(cgroupsPath: string): Promise<string> {
  const spec = (each: { linux: { cgroupsPath?: string } }): void => {
    each.linux.cgroupsPath = cgroupsPath
  }
  return (await t.stopped({ spec })).id
}

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

it('SIGKILL at the calls of a create into the cgroup of a stopped one: nothing of either is left', async () => {
  const cgroupsPath = `/crio-lxc/${t.id()}`
  const bundle = await t.bundle({
    spec: (spec) => {
      spec.linux.cgroupsPath = cgroupsPath
    },
  })
  const attempt = async (at?: number): Promise<number> => {
    const first = await stopped(cgroupsPath)
    for (const mount of new Set(Object.values(cgroupMounts()))) mkdirSync(`${mount}${cgroupsPath}/left`)
    const id = t.id()
    const fault = at === undefined ? {} : { fault: { at, signal: 9 } }
    const create = ['create', '--bundle', bundle.path, id]
    const { calls } = await runWithFault(t, create, { watch: { role: 'main' }, ...fault })
    for (const each of at === undefined || at % 2 === 0 ? [first, id] : [id, first])
      await expectOk(t, ['delete', '--force', each])
    await expectNothing(t, first)
    await expectNothing(t, id)
    return calls.length
  }
  for (const at of sample(await attempt(), 24)) await attempt(at)
})

it.each(['ENOMEM', 'EIO'] as const)(
  '%s at the look whose a cgroup is: the other runs on, and the next delete works',
  async (name) => {
    const cgroupsPath = `/crio-lxc/${t.id()}`
    const first = await stopped(cgroupsPath)
    const other = await t.running({
      spec: (spec) => {
        spec.linux.cgroupsPath = cgroupsPath
      },
    })
    const errno = constants.errno[name]
    for (const at of [1, 2]) {
      const watch = { role: 'main', calls: ['getxattr'] } as const
      const { result, hit } = await runWithFault(t, ['delete', '--force', first], { watch, fault: { at, errno } })
      expect(await t.state(other.id)).toMatchObject({ status: 'running', pid: other.pid })
      if (at === 1) expect(hit).toBe(true)
      if (hit) expect(messageOf(result)).toMatch(/^getxattr/)
    }
    await expectOk(t, ['delete', '--force', first])
    expect(await t.state(other.id)).toMatchObject({ status: 'running', pid: other.pid })
  },
)
