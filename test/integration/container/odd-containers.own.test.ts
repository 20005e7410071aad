/**
 * Containers that other runtimes take for dead or cannot walk through: every verb tells the truth about them. runc 1.1.5
 * says of the first two that they are stopped, and deletes none of those with odd cgroups.
 */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cgroupDirectoriesOf, putBelow, removeCgroups } from '../../support/cgroup-trees.ts'
import { type Created, useContainers } from '../../support/containers.ts'
import { cgroupMounts, cgroupsOf, childrenOf, isAlive, namespaceOf } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'
import { type Spec, shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

interface Odd extends Created {
  /** All of its processes. */
  readonly pids: readonly number[]
  /** What has come of a SIGTERM to all of them. */
  readonly hasGotTerm: () => boolean
}

async function leaderless(count: number, spec: (spec: Spec) => void = () => {}): Promise<Odd> {
  const bundle = await t.bundle({ args: ['/leaderless', String(count)], spec })
  copyFileSync(program('leaderless'), join(bundle.rootfs, 'leaderless'))
  const container = await t.running(bundle)
  const output = (): string => container.result.output()
  await waitFor(() => output() === 'ready\n'.repeat(count))
  const pids = [container.pid, ...childrenOf(container.pid)]
  expect(pids).toHaveLength(count)
  return { ...container, pids, hasGotTerm: () => output().split('15\n').length === count + 1 }
}

/** With one process in cgroups of these names, one in the other, in every hierarchy. */
async function below(names: readonly Buffer[], spec: (spec: Spec) => void = () => {}): Promise<Odd> {
  const container = await t.running({ args: ['sh', '-c', 'sleep 1001 & while :; do wait; done'], spec })
  const child = await waitFor(() => childrenOf(container.pid)[0])
  for (const directory of cgroupDirectoriesOf(container.pid)) {
    t.defer(() => removeCgroups(directory))
    putBelow(directory, names, child)
  }
  return { ...container, pids: [container.pid, child], hasGotTerm: () => !isAlive(child) }
}

/** In each hierarchy, beside the one with the process. */
async function amongMany(): Promise<Odd> {
  const container = await below([Buffer.from('z')])
  for (const directory of cgroupDirectoriesOf(container.pid))
    for (let n = 0; n < 300; n++) mkdirSync(`${directory}/${'sibling'.repeat(20)}${n}`)
  return container
}

/** Whose processes cannot be listed: cgroup-v2.rst, "Threads". */
async function threaded(): Promise<Odd> {
  const container = await below([])
  const directory = `${cgroupMounts()['']}${cgroupsOf(container.pid)['']}/threaded`
  mkdirSync(directory)
  writeFileSync(`${directory}/cgroup.type`, 'threaded')
  writeFileSync(`${directory}/cgroup.procs`, String(container.pids[1]))
  return container
}

const kinds: [string, () => Promise<Odd>][] = [
  ['whose first thread has exited', () => leaderless(1)],
  [
    "with the host's pids, in each of whose processes it has",
    () => leaderless(3, (spec) => shareWithHost(spec, 'pid')),
  ],
  ['with cgroups deeper than a path reaches', () => below(Array(40).fill(Buffer.alloc(200, 'a')))],
  ['with a cgroup whose name is no UTF-8', () => below([Buffer.from([0x69, 0xff, 0xfe, 0x0b, 0x6e])])],
  ['with many cgroups', amongMany],
  ['with a threaded cgroup', threaded],
]

async function stats(id: string): Promise<{ pids: { current: number; limit?: number } }> {
  return JSON.parse((await t.ok(['events', '--stats', id])).stdout).data
}

const byNumber = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b)

const verbs: Record<string, (container: Odd) => Promise<void>> = {
  async state({ id, pid }) {
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  },
  async list({ id, pid }) {
    const states = JSON.parse((await t.ok(['list', '--format', 'json'])).stdout) as object[]
    expect(states).toContainEqual(expect.objectContaining({ id, status: 'running', pid }))
  },
  async ps({ id, pids }) {
    const { stdout } = await t.ok(['ps', '--format', 'json', id])
    expect(byNumber(JSON.parse(stdout) as number[])).toEqual(byNumber(pids))
    const table = (await t.ok(['ps', id, '-o', 'pid'])).stdout.trim().split(/\s+/).slice(1)
    expect(byNumber(table.map(Number))).toEqual(byNumber(pids))
  },
  async top({ id }) {
    expect((await t.ok(['top', '--once', '--interval', '50ms'])).stdout).toMatch(new RegExp(`^${id} +running `, 'm'))
  },
  async 'events --stats'({ id, pids }) {
    expect((await stats(id)).pids.current).toBeGreaterThanOrEqual(pids.length)
  },
  async events({ id }) {
    const output = join(t.directory, `events-${id}`)
    writeFileSync(output, '')
    const watching = spawn('sh', [
      '-c',
      `exec "$0" "$@" >${output}`,
      runtimePath,
      '--root',
      t.root,
      'events',
      '--interval',
      '50ms',
      id,
    ])
    const code = new Promise((resolve) => watching.once('exit', resolve))
    await waitFor(() => readFileSync(output, 'utf8').split('\n').length > 3)
    await t.ok(['kill', '--all', id, 'KILL'])
    expect(await code).toBe(0)
  },
  async update({ id }) {
    await t.ok(['update', '--pids-limit', '77', id])
    expect((await stats(id)).pids.limit).toBe(77)
  },
  async 'pause and resume'({ id }) {
    await t.ok(['pause', id])
    expect(await t.state(id)).toMatchObject({ status: 'paused' })
    await t.ok(['resume', id])
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  },
  async exec({ id, pids }) {
    const { stdout } = await t.ok(['exec', id, 'sh', '-c', 'cd /proc/self/ns; readlink mnt; readlink net'])
    expect(stdout).toMatch(/^mnt:\[\d+\]\nnet:\[\d+\]\n$/)
    for (const kind of ['mnt', 'net']) expect(stdout).not.toContain(namespaceOf('self', kind))
    expect(pids.filter(isAlive)).toEqual(pids)
  },
  async start({ id }) {
    expect(messageOf(await t.runtime(['start', id]))).toMatch(/cannot start an already running container/)
  },
  async delete({ id, pids }) {
    expect(messageOf(await t.runtime(['delete', id]))).toMatch(/cannot delete container that is not stopped/)
    expect(pids.filter(isAlive)).toEqual(pids)
  },
  async 'kill 0'({ id, pids }) {
    await t.ok(['kill', id, '0'])
    expect(pids.filter(isAlive)).toEqual(pids)
  },
  async 'kill --all TERM'({ id, hasGotTerm }) {
    await t.ok(['kill', '--all', id, 'TERM'])
    await waitFor(hasGotTerm)
  },
  async 'kill KILL'({ id, pids }) {
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await waitFor(() => pids.every((pid) => !isAlive(pid)))
    expect(messageOf(await t.runtime(['kill', id, 'KILL']))).toMatch(/container not running/)
  },
  async 'kill --all KILL'({ id, pids }) {
    await t.ok(['kill', '--all', id, 'KILL'])
    expect(pids.filter(isAlive)).toEqual([])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    t.expectNothingLeft()
  },
  async 'delete --force'({ id, pids }) {
    await t.ok(['delete', '--force', id])
    expect(pids.filter(isAlive)).toEqual([])
    t.expectNothingLeft()
  },
  async 'delete --force of a paused one'({ id, pids }) {
    await t.ok(['pause', id])
    await t.ok(['delete', '--force', id])
    expect(pids.filter(isAlive)).toEqual([])
    t.expectNothingLeft()
  },
}

describe.each(kinds)('a container %s', (_, make) => {
  it.each(Object.entries(verbs))('is known to %s', async (_verb, check) => {
    await check(await make())
  })
})
