/**
 * The caller killed while the runtime runs for it. conmon asks the kernel to kill its runtime when it dies itself; podman
 * leaves conmon behind, which goes on.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { conmonPath, startConmon } from '../callers/support/conmon-process.ts'
import { usePodman } from '../callers/support/podman.ts'
import type { Bundle } from '../support/bundle.ts'
import { useContainers } from '../support/containers.ts'
import { commandLines } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { invoke, runtimePath } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'
import { expectOk, expectSurvived, expectTruth } from './support/aftermath.ts'
import { crashBundle } from './support/bundles.ts'
import { type DeadlyRuntime, deadlyRuntime, sample } from './support/fault.ts'

requires('root', 'own-runtime', 'cc', 'x64')
const t = useContainers()
const podman = usePodman()
const counts: string[] = []

afterAll(() => console.log(counts.join('\n')))

const conmons = (id: string): string[] =>
  [...commandLines().values()].filter((line) => line.startsWith(conmonPath()) && line.includes(id))

/** Calls of the runtime that are under way. */
const calls = (): string[] =>
  [...commandLines().values()].filter((line) => line.includes(runtimePath) && line.includes(`--root=${t.root}`))

describe('conmon', () => {
  const verbs = { create: createArguments, exec: execArguments }

  it.each([
    ['create', 'main', 4],
    ['create', 'init', 2],
    ['exec', 'main', 2],
    ['exec', 'launch', 2],
  ] as const)('killed at the calls of %s, %s', { timeout: 1_200_000 }, async (verb, role, about) => {
    const bundle = await crashBundle(t)
    const { count } = await attempt(undefined)
    expect(count).toBeGreaterThan(0)
    const failures: string[] = []
    const tried = sample(count, about)
    for (const at of tried) await attempt(at).catch((error: Error) => failures.push(`at ${at}: ${error.message}`))
    counts.push(
      `conmon, ${verb}, signal 9 at calls of ${role} to conmon: ${count} calls, ${tried.length} faults, ${tried.length - failures.length} survived`,
    )
    expect(failures).toEqual([])

    async function attempt(at: number | undefined): Promise<{ count: number }> {
      const id = t.id()
      if (verb === 'exec') {
        await expectOk(t, ['create', '--bundle', bundle.path, id])
        await expectOk(t, ['start', id])
      }
      const from = role === 'main' ? (verb === 'create' ? 'config.json' : join(t.root, id)) : undefined
      const runtime = deadlyRuntime(t.directory, { verb, watch: { role, from }, at })
      const { ended } = startConmon(verbs[verb](id, bundle, runtime), {
        cwd: bundle.path,
        errors: join(t.directory, 'conmon-errors'),
      })
      await ended
      await waitFor(() => runtime.ended() || runtime.calls().length === at, { what: `call ${at}` })
      await waitFor(() => calls().length === 0, { what: 'the runtime to end' })
      if (at !== undefined && !runtime.ended()) await waitFor(() => conmons(id).length === 0, { what: 'conmon to end' })
      if (verb === 'exec') expect(await expectTruth(t, id)).toMatchObject({ status: 'running' })
      await expectSurvived(t, id, bundle)
      return { count: runtime.calls().length }
    }
  })

  function createArguments(id: string, { path }: Bundle, runtime: DeadlyRuntime): string[] {
    return [
      ...common(id, path, runtime),
      ...['-b', path, '--exit-dir', t.directory, '-P', join(path, 'conmon.pid'), '--persist-dir', path, '-u', id],
    ]
  }

  function execArguments(id: string, { path, spec }: Bundle, runtime: DeadlyRuntime): string[] {
    const process = join(path, 'process.json')
    writeFileSync(process, JSON.stringify({ ...spec.process, args: ['sleep', '1000'] }))
    return [...common(id, path, runtime), '-e', '--exec-process-spec', process]
  }

  function common(id: string, path: string, runtime: DeadlyRuntime): string[] {
    return [
      ...['-c', id, '-n', id, '-l', join(path, 'log'), '-p', join(path, 'pidfile'), '--log-level', 'error'],
      ...['-r', runtime.path, '--runtime-arg', `--root=${t.root}`, '--socket-dir-path', t.directory],
    ]
  }
})

it('podman killed at the calls of create', { timeout: 1_200_000 }, async () => {
  const victim = join(t.directory, 'podman.pid')
  const { count } = await attempt(undefined)
  expect(count).toBeGreaterThan(0)
  const tried = sample(count, 2)
  const failures: string[] = []
  for (const at of tried) await attempt(at).catch((error: Error) => failures.push(`at ${at}: ${error.message}`))
  counts.push(
    `podman, run, signal 9 at calls of main to podman: ${count} calls, ${tried.length} faults, ${tried.length - failures.length} survived`,
  )
  expect(failures).toEqual([])

  async function attempt(at: number | undefined): Promise<{ count: number }> {
    const name = podman.name()
    const watch = { role: 'main', from: 'config.json' } as const
    const runtime = deadlyRuntime(t.directory, { verb: 'create', watch, at, victim })
    const command = podman.runArguments(['--detach', '--name', name], ['sleep', '1000'])
    const result = await podman.call(['--runtime', runtime.path, ...command], {
      through: ['sh', '-c', `echo $$ > ${victim}; exec "$@"`, 'sh'],
    })
    const killed = at !== undefined && runtime.calls().length >= at
    expect(result.exitCode, result.stderr).toBe(killed ? undefined : 0)
    await waitFor(() => runtime.ended(), { what: 'create to end' })
    const id = await podman.id(name)
    expect(await invoke(['delete', '--force', id])).toMatchObject({ exitCode: 0 })
    await podman.ok(['rm', '--force', '--time', '0', name])
    await podman.expectNothingLeft(id)
    return { count: runtime.calls().length }
  }
})
