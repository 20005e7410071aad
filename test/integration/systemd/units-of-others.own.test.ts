/** The name of a container's unit may be that of another's by the time that it is deleted. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type State, useContainers } from '../../support/containers.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { invoke } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'systemd', 'own-runtime')
const t = useContainers()

const inScope =
  (cgroupsPath: string) =>
  (spec: Spec): void => {
    spec.linux.cgroupsPath = cgroupsPath
  }

/** Two containers of one id below two roots: the first has stopped when the second begins. */
async function two(
  paths: (id: string) => readonly [string, string],
  flags: readonly string[] = [],
): Promise<{ id: string; other: string; monitor: number }> {
  const id = t.id()
  const [firstPath, secondPath] = paths(id)
  const global = ['--systemd-cgroup', ...flags]
  const first = await t.bundle({ args: ['sleep', '1000'], spec: inScope(firstPath) })
  await t.ok([...global, 'create', '--bundle', first.path, id])
  await t.ok(['start', id])
  await t.ok(['kill', id, 'KILL'])
  await t.waitForStatus(id, 'stopped')
  const other = t.hostDirectory('other-root-')
  const second = await t.bundle({ args: ['sleep', '1000'], spec: inScope(secondPath) })
  const pidFile = `${second.path}/pid`
  const create = ['create', '--bundle', second.path, '--pid-file', pidFile, id]
  // systemd may not have forgotten the first yet.
  await waitFor(async () => (await invoke(['--root', other, ...global, ...create])).exitCode === 0, {
    timeoutMs: 60_000,
  })
  t.defer(async () => {
    await invoke(['--root', other, 'delete', '--force', id])
  })
  expect(await invoke(['--root', other, 'start', id])).toMatchObject({ exitCode: 0 })
  return { id, other, monitor: Number(readFileSync(pidFile, 'utf8')) }
}

const stateBelow = async (root: string, id: string): Promise<State> =>
  JSON.parse((await invoke(['--root', root, 'state', id])).stdout) as State

it('delete leaves a unit of the same name in another slice', async () => {
  const { id, other } = await two((id) => [`system.slice:other:${id}`, `machine.slice:other:${id}`])
  await t.ok(['delete', id])
  expect(await stateBelow(other, id)).toMatchObject({ status: 'running' })
})

it('delete leaves the monitor of another container of the same id', async () => {
  const flags = ['--monitor=resident', '--monitor-cgroup=crio-lxc-mon.slice']
  const { id, other, monitor } = await two((id) => [`system.slice:first:${id}`, `system.slice:second:${id}`], flags)
  await t.ok(['delete', id])
  expect(isAlive(monitor)).toBe(true)
  expect(await stateBelow(other, id)).toMatchObject({ status: 'running' })
})
