/** SIGKILL and SIGTERM at the system calls of every program of the runtime. `npm run test:crash` walks over all of them. */
import { readdirSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { expectSurvived } from './support/aftermath.ts'
import { type Role, runWithFault, sample, type Watch } from './support/fault.ts'
import { crashBundle, type Scenario, type ScenarioName, scenarios } from './support/scenarios.ts'

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
]
const counts: string[] = []

afterAll(() => console.log(counts.join('\n')))

describe('a signal at every system call that changes something', () => {
  it.each(cases)('$verb: signal $signal at the calls of $role kills $dies', { timeout: 1_200_000 }, async (one) => {
    const scenario: Scenario = scenarios[one.verb]
    const bundle = await crashBundle(t)
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
        const { hit } = await runWithFault(t, scenario.args(id, bundle), {
          watch,
          fault: { at, signal: one.signal, toMain },
        })
        if (hit) hits++
        await expectSurvived(t, id, bundle)
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
