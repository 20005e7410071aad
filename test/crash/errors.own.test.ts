/** Errors of the kernel in the place of kills: one sentence, nothing left, and the next try works. */
import { constants } from 'node:os'
import { afterAll, describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { badMessage, expectNothing, expectOk, expectSurvived, expectTruth } from './support/aftermath.ts'
import { crashBundle } from './support/bundles.ts'
import { type Role, runWithFault, sample, type Watch } from './support/fault.ts'
import { type Scenario, type ScenarioName, scenarios } from './support/scenarios.ts'

requires('root', 'own-runtime', 'cc', 'x64')
const t = useContainers()

/** Calls that can fail so. */
const errors = {
  ENOSPC: ['mkdir', 'mknodat', 'openat:w', 'write', 'rename', 'ftruncate'],
  EMFILE: ['openat', 'openat2', 'open_tree', 'pipe2', 'memfd_create', 'socket', 'pidfd_open', 'fsopen', 'fsmount'],
  ENOMEM: [
    'mkdir',
    'openat',
    'open_tree',
    'mount_setattr',
    'memfd_create',
    'pipe2',
    'clone',
    'clone3',
    'vfork',
    'mount',
  ],
  EIO: ['read', 'write', 'openat', 'mkdir', 'rename', 'unlink', 'unlinkat', 'rmdir', 'chmod'],
  EAGAIN: ['clone', 'clone3', 'vfork', 'fork'],
} as const satisfies Partial<Record<keyof typeof constants.errno, readonly string[]>>

interface Case {
  readonly verb: ScenarioName
  readonly role: Role
  readonly error: keyof typeof errors
  readonly about: number
}

const of = (verb: ScenarioName, role: Role, about: number, ...names: Case['error'][]): Case[] =>
  names.map((error) => ({ verb, role, error, about }))

const cases: Case[] = [
  ...of('create', 'main', 7, 'ENOSPC', 'EMFILE', 'ENOMEM', 'EIO', 'EAGAIN'),
  ...of('create', 'launch', 3, 'ENOMEM', 'EAGAIN'),
  ...of('create', 'monitor', 3, 'ENOMEM', 'EAGAIN'),
  ...of('create', 'stage', 3, 'ENOMEM'),
  ...of('create', 'init', 5, 'ENOMEM', 'EIO'),
  ...of('start', 'main', 4, 'EMFILE', 'EIO'),
  ...of('exec --detach', 'main', 4, 'ENOSPC', 'EMFILE', 'ENOMEM', 'EIO', 'EAGAIN'),
  ...of('exec --detach', 'launch', 4, 'ENOMEM', 'EAGAIN', 'EIO'),
  ...of('delete --force', 'main', 5, 'EMFILE', 'ENOMEM', 'EIO'),
  ...of('create with hooks', 'hook', 1, 'EMFILE', 'ENOMEM', 'EIO', 'EAGAIN'),
  ...of('create with hooks', 'entering', 1, 'ENOMEM', 'EIO'),
  ...of('start with hooks', 'main', 2, 'EMFILE', 'EAGAIN'),
  ...of('start with hooks', 'hook', 1, 'EMFILE'),
  ...of('delete with hooks', 'hook', 1, 'EIO'),
  ...of('create with idmaps and devices', 'launch', 2, 'ENOMEM', 'EIO'),
]
const counts: string[] = []

afterAll(() => console.log(counts.join('\n')))

describe('an error at every system call that can have it', () => {
  it.each(cases)('$verb: $error of $role', { timeout: 1_200_000 }, async ({ verb, role, error, about }) => {
    const scenario: Scenario = scenarios[verb]
    const bundle = await (scenario.bundle ?? crashBundle)(t)
    const errno = constants.errno[error]
    const calls = await countCalls()
    const failures: string[] = []
    let hits = 0
    let tolerated = 0
    for (const at of sample(calls.length, about)) {
      const id = t.id()
      try {
        const watch = await begin(id)
        const { result, hit } = await runWithFault(t, scenario.args(id, bundle), { watch, fault: { at, errno } })
        if (!hit) continue
        hits++
        if (result.exitCode === 0) {
          // The call did not matter: the verb has done what it says.
          tolerated++
          const state = await expectTruth(t, id)
          // An init that create has found ready may die right afterwards.
          const died = role === 'init' && state?.status === 'stopped'
          if (state?.status !== scenario.leaves && !died)
            throw new Error(`it succeeded, and the container is ${state?.status}`)
        } else {
          const bad = badMessage(result, { liblxc: role === 'monitor' || role === 'stage' })
          if (bad) throw new Error(bad)
          if (verb.startsWith('create')) await expectNothing(t, id)
          if (verb === 'exec --detach') await expectAlone(id)
          if (verb === 'start with hooks' && (await expectTruth(t, id))?.status === 'running')
            throw new Error('start failed, and the container runs without its hooks')
        }
        await expectSurvived(t, id, bundle, scenario.host)
      } catch (failure) {
        failures.push(`at ${at}, ${calls[at - 1]}: ${(failure as Error).message}`)
        await t.runtime(['delete', '--force', id])
      }
    }
    counts.push(
      `${verb}, ${error} of ${role}: ${calls.length} calls, ${hits} faults, ${hits - failures.length} survived (${tolerated} without consequence)`,
    )
    expect(failures).toEqual([])

    async function begin(id: string): Promise<Watch> {
      await scenario.prepare(t, id, bundle)
      return { role, from: role === 'main' ? scenario.from(t, id, bundle) : undefined, calls: errors[error] }
    }

    async function countCalls(): Promise<readonly string[]> {
      const id = t.id()
      const watch = await begin(id)
      const { result, calls: counted } = await runWithFault(t, scenario.args(id, bundle), { watch })
      expect(result, result.stderr).toMatchObject({ exitCode: 0 })
      await t.runtime(['delete', '--force', id])
      return counted
    }

    /** An exec that failed leaves init running and no other process. */
    async function expectAlone(id: string): Promise<void> {
      const state = await expectTruth(t, id)
      if (state?.status !== 'running') throw new Error(`exec failed, and the container is ${state?.status}`)
      const { stdout } = await t.ok(['ps', '--format', 'json', id])
      const pids = JSON.parse(stdout) as number[]
      if (pids.length !== 1) throw new Error(`exec failed, and the container has the processes ${pids}`)
      await expectOk(t, ['kill', id, '0'])
    }
  })
})

describe('a container that runs', () => {
  it.each(['state', 'delete', 'kill'])(
    'is never taken for dead by %s, whichever file cannot be opened',
    async (verb) => {
      const { id } = await t.running()
      const args = verb === 'kill' ? [verb, id, '0'] : [verb, id]
      const watch: Watch = { role: 'main', from: `/${id}/`, calls: ['openat'] }
      const { calls } = await runWithFault(t, args, { watch })
      expect(calls.some((call) => /\/stat\b/.test(call))).toBe(true)
      for (let at = 1; at <= calls.length; at++) {
        const { result } = await runWithFault(t, args, { watch, fault: { at, errno: constants.errno.EMFILE } })
        const saidRunning = result.exitCode === 0 && (verb === 'kill' || /"status": "running"/.test(result.stdout))
        if (!saidRunning) expect(result.stderr, calls[at - 1]).toMatch(/too many open files|kill it first/)
        expect((await t.state(id)).status, calls[at - 1]).toBe('running')
      }
    },
  )
})
