/** SIGKILL and SIGTERM at the system calls of every program of the runtime. `npm run test:crash` walks over all of them. */
import { readdirSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import type { Result } from '../support/runtime.ts'
import { badMessage, expectNothing, expectSurvived, expectTruth } from './support/aftermath.ts'
import { crashBundle } from './support/bundles.ts'
import { type Role, runWithFault, sample, type Watch } from './support/fault.ts'
import { type Scenario, type ScenarioName, scenarios } from './support/scenarios.ts'

requires('root', 'own-runtime', 'cc', 'x64')
const t = useContainers()
const SIGKILL = 9
const SIGTERM = 15

interface Case {
  readonly verb: ScenarioName
  readonly role: Role
  readonly signal: number
  /** Who dies: the process that makes the call, or the verb. */
  readonly dies: 'itself' | 'the verb'
  /** Tries of a run that is not complete. */
  readonly about: number
}

const of = (verb: ScenarioName, role: Role, about: number, more: Partial<Case> = {}): Case => ({
  verb,
  role,
  signal: SIGKILL,
  dies: 'itself',
  about,
  ...more,
})

const cases: Case[] = [
  of('create', 'main', 24),
  of('create', 'main', 5, { signal: SIGTERM }),
  of('create', 'launch', 4),
  of('create', 'monitor', 6),
  of('create', 'stage', 6),
  of('create', 'init', 8),
  of('create', 'launch', 3, { dies: 'the verb' }),
  of('create', 'monitor', 4, { dies: 'the verb' }),
  of('create', 'stage', 4, { dies: 'the verb' }),
  of('create', 'init', 6, { dies: 'the verb' }),
  of('run --detach', 'main', 8),
  of('start', 'main', 8),
  of('start', 'init', 4),
  of('start', 'init', 4, { dies: 'the verb' }),
  of('exec --detach', 'main', 8),
  of('exec --detach', 'launch', 6),
  of('exec --detach', 'launch', 4, { dies: 'the verb' }),
  of('delete --force', 'main', 8),
  of('delete', 'main', 6),
  of('kill KILL', 'main', 3),
  of('kill --all TERM', 'main', 4),
  of('pause', 'main', 3),
  of('resume', 'main', 3),
  of('update', 'main', 4),
  of('create with hooks', 'hook', 4),
  of('create with hooks', 'hook', 2, { dies: 'the verb' }),
  of('create with hooks', 'entering', 3),
  of('create with hooks', 'entering', 2, { dies: 'the verb' }),
  of('start with hooks', 'hook', 2),
  of('start with hooks', 'entering', 2),
  of('delete with hooks', 'hook', 2),
  of('delete with hooks', 'hook', 1, { dies: 'the verb' }),
  of('create with idmaps and devices', 'launch', 4),
  of('create with idmaps and devices', 'launch', 2, { dies: 'the verb' }),
]
const counts: string[] = []

afterAll(() => console.log(counts.join('\n')))

describe('a signal at every system call that changes something', () => {
  it.each(cases)('$verb: signal $signal at the calls of $role kills $dies', { timeout: 1_200_000 }, async (one) => {
    const scenario: Scenario = scenarios[one.verb]
    const bundle = await (scenario.bundle ?? crashBundle)(t)
    const toMain = one.dies === 'the verb'
    const boundaries = await countCalls()
    const failures: string[] = []
    let hits = 0
    const tried = sample(boundaries.length, one.about)
    for (const at of tried) {
      const id = t.id()
      const call = boundaries[at - 1]
      try {
        const watch = await begin(id)
        const { result, hit } = await runWithFault(t, scenario.args(id, bundle), {
          watch,
          fault: { at, signal: one.signal, toMain },
        })
        if (hit) hits++
        if (one.role !== 'main' && !toMain) await expectAnswer(id, result)
        await expectSurvived(t, id, bundle, scenario.host)
        const stray = readdirSync(bundle.path).filter((name) => name.endsWith('.tmp'))
        if (stray.length > 0) throw new Error(`left in the bundle: ${stray}`)
      } catch (error) {
        failures.push(`at ${at}, before ${call}: ${(error as Error).message}`)
        await t.runtime(['delete', '--force', id])
      }
    }
    const { verb, role, signal, dies } = one
    counts.push(
      `${verb}, signal ${signal} at calls of ${role} to ${dies}: ${boundaries.length} calls, ${hits} faults, ${hits - failures.length} survived`,
    )
    expect(failures).toEqual([])
    expect(boundaries.length).toBeGreaterThan(0)

    async function begin(id: string): Promise<Watch> {
      await scenario.prepare(t, id, bundle)
      const attach = one.role === 'init' && one.verb !== 'create' ? (await t.state(id)).pid : undefined
      return { role: one.role, from: one.role === 'main' ? scenario.from(t, id, bundle) : undefined, attach }
    }

    /** The verb outlives what it has started: it says what happened, or it has done what it says. */
    async function expectAnswer(id: string, result: Result): Promise<void> {
      if (result.exitCode === 0) {
        const state = await expectTruth(t, id)
        const died = one.role === 'init' && state?.status === 'stopped'
        if (state?.status !== scenario.leaves && !died)
          throw new Error(`it succeeded, and the container is ${state?.status}`)
        return
      }
      const bad = badMessage(result, { liblxc: one.role === 'monitor' || one.role === 'stage' })
      if (bad) throw new Error(bad)
      if (one.verb.startsWith('create')) await expectNothing(t, id)
    }

    async function countCalls(): Promise<readonly string[]> {
      const id = t.id()
      const watch = await begin(id)
      const { result, calls } = await runWithFault(t, scenario.args(id, bundle), { watch })
      expect(result, result.stderr).toMatchObject({ exitCode: 0 })
      await t.runtime(['delete', '--force', id])
      return calls
    }
  })
})
