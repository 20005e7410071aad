/** Races of what only our own runtime promises, or in which runc 1.1 hangs: it lets two starts wait for one init. */

import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { type State, useContainers } from '../support/containers.ts'
import { inRuntimeRoot } from '../support/leftovers.ts'
import { cgroupMounts, findCgroups } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { invoke, messageOf, type Result } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'
import { badMessage, expectNothing, expectTruth } from './support/aftermath.ts'

requires('root', 'own-runtime')
const t = useContainers()
const ROUNDS = process.env.CRASH === 'all' ? 60 : 15

it('5 starts of one container: one wins, the others hear that it runs', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await t.create(bundle)
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => t.runtime(['start', id])))
    const failed = results.filter(({ exitCode }) => exitCode !== 0)
    expect(failed, results.map(messageOf).join('; ')).toHaveLength(4)
    for (const result of failed) expect(messageOf(result)).toMatch(/cannot start (an already running|a) container/)
    expect(await t.state(id)).toMatchObject({ status: 'running' })
    await t.ok(['delete', '--force', id])
  }
})

it.each([
  ['', []],
  [' with a resident monitor', ['--monitor', 'resident']],
])('2 creates of one id under two roots%s: one has the cgroup, the other is refused', async (_, flags) => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const roots = [t.root, t.hostDirectory('other-root-')]
  for (let round = 0; round < ROUNDS; round++) {
    const id = t.id()
    const create = ['create', '--bundle', bundle.path, id]
    const results = await Promise.all(roots.map((root) => invoke(['--root', root, ...flags, ...create])))
    const failed = results.filter(({ exitCode }) => exitCode !== 0)
    expect(failed, results.map(messageOf).join('; ')).toHaveLength(1)
    for (const result of failed)
      expect(messageOf(result)).toMatch(/^use cgroup \S+: .*: choose another linux\.cgroupsPath$/)
    const winner = roots[results.findIndex(({ exitCode }) => exitCode === 0)] ?? ''
    const others = roots.filter((root) => root !== winner)
    for (const root of others) expect(readdirSync(root)).not.toContain(id)
    const { pid } = JSON.parse((await invoke(['--root', winner, 'state', id])).stdout) as State
    expect(await invoke(['--root', winner, 'start', id])).toMatchObject({ exitCode: 0 })
    // A resident monitor has cgroups of its own, of the same name.
    for (const path of findCgroups((name) => name === id).filter((found) => !found.includes('-monitor')))
      expect(t.read(`${path}/cgroup.procs`).trim(), path).toBe(String(pid))
    expect(await invoke(['--root', winner, 'delete', '--force', id])).toMatchObject({ exitCode: 0 })
    await expectNothing(t, id)
  }
})

/** Removes empty cgroups as fast as it can, deepest first. */
const remover = `
const { rmdirSync } = require('node:fs')
for (;;) for (const path of process.argv.slice(1)) try { rmdirSync(path) } catch {}
`

it('create while what is above its cgroup is removed time and again', async () => {
  const above = t.id()
  const bundle = await t.bundle({
    spec: (spec) => {
      spec.linux.cgroupsPath = `/${above}/middle/inner`
    },
  })
  const paths = Object.values(cgroupMounts()).flatMap((mount) => [`${mount}/${above}/middle`, `${mount}/${above}`])
  const removing = execa(process.execPath, ['-e', remover, ...paths], { reject: false })
  t.defer(() => {
    removing.kill('SIGKILL')
  })
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const { id } = await t.create(bundle)
    await t.ok(['delete', '--force', id])
  }
  removing.kill('SIGKILL')
  await removing
})

it.each([[['delete', '--force']], [['kill', '--all']]])(
  'a create takes over a cgroup during %s of who had it: it has it, or is refused',
  async (verb) => {
    const cgroupsPath = `/crio-lxc/${t.id()}`
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: (spec) => {
        spec.linux.cgroupsPath = cgroupsPath
      },
    })
    for (let round = 0; round < 2 * ROUNDS; round++) {
      const first = await t.running(bundle)
      const removal = t.ok([...verb, first.id, ...(verb[0] === 'kill' ? ['KILL'] : [])])
      await delay((round % 10) / 2)
      const id = t.id()
      for (;;) {
        const result = await t.runtime(['create', '--bundle', bundle.path, id])
        if (result.exitCode === 0) break
        expect(messageOf(result)).toMatch(
          /^use cgroup \S+: (it has processes|another create, kill or delete is at work in it):/,
        )
      }
      await removal
      await t.ok(['start', id])
      expect(await t.state(id)).toMatchObject({ status: 'running' })
      await t.ok(['delete', '--force', first.id])
      await t.ok(['exec', id, 'true'])
      await t.ok(['delete', '--force', id])
    }
  },
)

it.each([
  [['exec', 'ID', 'true']],
  [['pause', 'ID']],
  [['kill', '--all', 'ID', 'USR1']],
  [['update', '--pids-limit', '99', 'ID']],
  [['events', '--stats', 'ID']],
])('%s during delete --force: it is done, or says that the container has ended', async (verb) => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < 3 * ROUNDS; round++) {
    const { id } = await t.running(bundle)
    const calls = [['delete', '--force', id], verb.map((word) => (word === 'ID' ? id : word))]
    const [removal, result] = await Promise.all(calls.map((args) => t.runtime(args)))
    expect(removal).toMatchObject({ exitCode: 0 })
    if (result && result.exitCode !== 0 && result.stderr !== '')
      expect(messageOf(result)).toMatch(/container does not exist: |container not running: /)
  }
})

it('delete --force during create: nothing is left, and create says that it failed', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  for (let round = 0; round < ROUNDS; round++) {
    const id = t.id()
    const create = t.runtime(['create', '--bundle', bundle.path, id])
    await delay(round * 3)
    await t.ok(['delete', '--force', id])
    const result = await create
    if (result.exitCode !== 0) expect(badMessage(result)).toBeUndefined()
    // It came before there was anything to delete.
    else await t.ok(['delete', '--force', id])
    await expectNothing(t, id)
  }
})

it('delete --force of a create whose hook hangs', async () => {
  const bundle = await t.bundle({
    args: ['sleep', '1000'],
    spec: (spec) => {
      spec.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '4321'] }] }
    },
  })
  const id = t.id()
  const create = t.runtime(['create', '--bundle', bundle.path, id])
  await waitFor(async () => (await t.stateOrNone(id))?.status === 'creating')
  expect(messageOf(await t.runtime(['delete', id]))).toMatch(/cannot delete container that is not stopped/)
  await t.ok(['--kill-timeout', '1s', 'delete', '--force', id])
  expect((await create).exitCode).not.toBe(0)
  await expectNothing(t, id)
})

it('50 calls on one id: state tells the truth all the time, and every failure is one sentence', {
  timeout: 180_000,
}, async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const id = t.id()
  const verbs = [
    ['create', '--bundle', bundle.path, id],
    ['start', id],
    ['exec', id, 'true'],
    ['kill', id, 'KILL'],
    ['pause', id],
    ['resume', id],
    ['update', '--pids-limit', '50', id],
    ['ps', id],
    ['delete', id],
    ['delete', '--force', id],
  ]
  const results = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      await delay(index * 7)
      return t.runtime(verbs[(index * 7) % verbs.length] ?? [])
    }),
  )
  // The process of exec may be killed by one of the others: its exit code says so, and exec has nothing to add.
  const killed = ({ args, exitCode }: Result): boolean => args[2] === 'exec' && exitCode === 137
  const bad = results
    .filter((result) => result.exitCode !== 0 && !killed(result))
    .flatMap((result) => {
      const problem = badMessage(result)
      return problem ? [`${result.args[2]}: ${problem}`] : []
    })
  expect(bad).toEqual([])
  await expectTruth(t, id)
  await t.ok(['delete', '--force', id])
  await expectNothing(t, id)
  expect(inRuntimeRoot(t.root)).toEqual([])
})
