/** crio-lxc-hook killed while a hook runs: the verb says so, and the hook has ended with everything of its process group. */
import { describe, expect, it } from 'vitest'
import { type Containers, useContainers } from '../support/containers.ts'
import { processStat } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { waitFor } from '../support/wait-for.ts'
import { expectNothing, expectOk, expectTruth, hookProcesses } from './support/aftermath.ts'
import { hookOf } from './support/bundles.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe.each(['SIGKILL', 'SIGTERM'] as const)('%s', (signal) => {
  it.each([
    ['prestart', 'create'],
    ['createRuntime', 'create'],
    ['createContainer', 'create'],
    ['startContainer', 'start'],
    ['poststart', 'start'],
    ['poststop', 'delete'],
  ] as const)('during %s: %s', async (point, verb) => {
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: (spec) => {
        spec.hooks = { [point]: [hookOf(t, 'sleep 1000 & wait')] }
      },
    })
    t.defer(() => {
      for (const pid of hookProcesses(t).keys()) process.kill(pid, 'SIGKILL')
    })
    const id = t.id()
    const create = ['create', '--bundle', bundle.path, id]
    if (verb !== 'create') await expectOk(t, create)
    const call = t.runtime(verb === 'create' ? create : [verb, id])
    process.kill(await waitFor(() => runner(t)), signal)
    const result = await call
    expect(result.durationMs).toBeLessThan(10_000)
    if (verb === 'delete') expect(result).toMatchObject({ exitCode: 0 })
    else
      expect(result).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(
          new RegExp(
            `^hooks\\.${point}\\[0\\]: /bin/sh was ended: \\S+ was killed by signal \\d+ without an answer\\n$`,
          ),
        ),
      })
    // A poststart hook that fails has the container deleted.
    if (point === 'startContainer') {
      expect((await expectTruth(t, id))?.status).toBe('stopped')
      await expectOk(t, ['delete', '--force', id])
    }
    await expectNothing(t, id)
  })
})

/** Pid of crio-lxc-hook, once its hook has a child. */
function runner(t: Containers): number | undefined {
  const pids = [...hookProcesses(t).keys()]
  const parents = pids.map((pid) => processStat(pid)?.ppid ?? 0)
  return pids.length === 2 ? parents.find((pid) => !pids.includes(pid)) : undefined
}
