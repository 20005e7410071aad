/**
 * What systemd manages stays as it was asked for: systemd writes all that it knows of a scope whenever one of its properties
 * changes and whenever it reloads, and so loses what it does not know. runc 1.1 tells it only some of the limits.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { bfqDisk } from '../../support/bfq-disk.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'systemd', 'cgroup-v2-only', 'own-runtime')
const t = useContainers()

const reload = (): Promise<unknown> => execa('systemctl', ['daemon-reload'])

/** Counters and what happens by itself. */
const changing = /((stat|events)(\.local)?|current|peak|pressure|procs|threads|kill|reclaim)$/

/** Every other file of the cgroup of a process, by name, with what it holds. */
function settings(pid: number): Record<string, string> {
  const directory = `/sys/fs/cgroup${cgroupsOf(pid)['']}`
  return Object.fromEntries(
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name)
      // Some of them can only be written.
      if (!entry.isFile() || changing.test(entry.name) || (statSync(path).mode & 0o444) === 0) return []
      return [[entry.name, readFileSync(path, 'utf8').trim()]]
    }),
  )
}

describe('every file of the cgroup', () => {
  const limited = {
    memory: { limit: 64 << 20, swap: 72 << 20, reservation: 8 << 20 },
    cpu: { shares: 512, quota: 33_333, period: 100_000, cpus: '0', mems: '0' },
    pids: { limit: 99 },
    unified: {
      'memory.high': String(48 << 20),
      'memory.min': String(1 << 20),
      'memory.oom.group': '1',
      'memory.swap.high': String(4 << 20),
      'cgroup.max.depth': '7',
      'hugetlb.2MB.max': '0',
    },
  }
  const expected = {
    'memory.max': String(64 << 20),
    'memory.swap.max': String(8 << 20),
    'memory.low': String(8 << 20),
    'memory.high': String(48 << 20),
    'memory.min': String(1 << 20),
    'memory.oom.group': '1',
    'memory.swap.high': String(4 << 20),
    'cpu.weight': '20',
    // systemd keeps whole percents, so that is what the container gets from the beginning.
    'cpu.max': '34000 100000',
    'cpuset.cpus': '0',
    'cpuset.mems': '0',
    'pids.max': '99',
    'cgroup.max.depth': '7',
    'hugetlb.2MB.max': '0',
  }

  async function limitedContainer(): Promise<{ id: string; pid: number }> {
    const id = t.id()
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: (spec) => Object.assign(spec.linux.resources, limited),
    })
    await t.ok(['--systemd-cgroup', 'run', '--detach', '--bundle', bundle.path, id])
    return { id, pid: (await t.state(id)).pid }
  }

  it('is as it was asked for, and stays so when systemd reloads and over every verb', async () => {
    const { id, pid } = await limitedContainer()
    const made = settings(pid)
    expect(made).toMatchObject(expected)
    await reload()
    expect(settings(pid)).toEqual(made)
    await t.ok(['pause', id])
    await reload()
    expect(settings(pid)).toEqual({ ...made, 'cgroup.freeze': '1' })
    await t.ok(['resume', id])
    expect(settings(pid)).toEqual(made)

    let now = made
    const update = async (flags: string[], changes: Record<string, string>): Promise<void> => {
      await t.ok(['update', ...flags, id])
      const updated = settings(pid)
      expect(updated, flags.join(' ')).toEqual({ ...now, ...changes })
      now = updated
    }
    await update(['--pids-limit', '77'], { 'pids.max': '77' })
    await update(['--cpu-period', '50000'], { 'cpu.max': '34000 50000' })
    await update(['--cpu-quota', '12345'], { 'cpu.max': '12500 50000' })
    await update(['--cpu-share', '1024'], { 'cpu.weight': '39', 'cpu.weight.nice': '4' })
    // The sum of memory and swap stays.
    await update(['--memory', String(60 << 20)], {
      'memory.max': String(60 << 20),
      'memory.swap.max': String(12 << 20),
    })
    await update(['--cpuset-cpus', '0-1'], { 'cpuset.cpus': '0-1', 'cpuset.cpus.effective': '0-1' })
    await reload()
    expect(settings(pid)).toEqual(now)
  })

  it('of an update of unified and memory in one counts both', async () => {
    const { id, pid } = await limitedContainer()
    const made = settings(pid)
    const resources = { memory: { limit: 128 << 20 }, unified: { 'memory.swap.max': String(1 << 20) } }
    await t.ok(['update', '--resources', '-', id], { input: JSON.stringify(resources) })
    const updated = { ...made, 'memory.max': String(128 << 20), 'memory.swap.max': String(1 << 20) }
    expect(settings(pid)).toEqual(updated)
    await reload()
    expect(settings(pid)).toEqual(updated)
  })

  it('of an update that is refused is as before, for systemd as well', async () => {
    const { id, pid } = await limitedContainer()
    const made = settings(pid)
    const resources = { pids: { limit: 5 }, cpu: { quota: 70_000 }, unified: { 'memory.max': 'banana' } }
    const result = await t.runtime(['update', '--resources', '-', id], { input: JSON.stringify(resources) })
    expect(messageOf(result)).toContain('unified["memory.max"]')
    expect(settings(pid)).toEqual(made)
    await reload()
    expect(settings(pid)).toEqual(made)
  })

  describe('of block IO', () => {
    requires('bfq')

    it('is the weight of the cgroup and of its devices', async () => {
      const { id, pid } = await limitedContainer()
      const device = bfqDisk(t)
      const resources = { blockIO: { weight: 500, weightDevice: [{ ...device, weight: 300 }] } }
      await t.ok(['update', '--resources', '-', id], { input: JSON.stringify(resources) })
      const made = settings(pid)
      expect(made).toMatchObject({ 'io.bfq.weight': `default 500\n${device.major}:${device.minor} 300` })
      await reload()
      expect(settings(pid)).toEqual(made)
      await t.ok(['update', '--pids-limit', '5', id])
      expect(settings(pid)).toEqual({ ...made, 'pids.max': '5' })
    })
  })

  it('says that a cgroup is idle, and that it is no more', async () => {
    const { id, pid } = await limitedContainer()
    const made = settings(pid)
    await t.ok(['update', '--cpu-idle', '1', id])
    const idle = settings(pid)
    // Kernels differ in the weight that they show.
    const weight = expect.stringMatching(/^[01]$/)
    expect(idle).toEqual({ ...made, 'cpu.idle': '1', 'cpu.weight': weight, 'cpu.weight.nice': '19' })
    await reload()
    expect(settings(pid)).toEqual(idle)
    await t.ok(['update', '--pids-limit', '5', id])
    expect(settings(pid)).toEqual({ ...idle, 'pids.max': '5' })
    await t.ok(['update', '--cpu-idle', '0', id])
    const busy = settings(pid)
    expect(busy).toMatchObject({ 'cpu.idle': '0', 'cpu.weight': '100' })
    await reload()
    expect(settings(pid)).toEqual(busy)
  })
})

it('no process but those that join, which systemd has no limit for, is one', async () => {
  const id = t.id()
  const bundle = await t.bundle({
    args: ['sleep', '1000'],
    spec: (spec) => {
      spec.linux.resources.pids = { limit: 0 }
    },
  })
  await t.ok(['--systemd-cgroup', 'run', '--detach', '--bundle', bundle.path, id])
  const { pid } = await t.state(id)
  expect(settings(pid)).toMatchObject({ 'pids.max': '1' })
  await reload()
  expect(settings(pid)).toMatchObject({ 'pids.max': '1' })
})

/** systemd drops a scope out of which the last process has been moved. */
it('a container whose scope is gone takes an exec where its init is, and is ended', async () => {
  const id = t.id()
  const elsewhere = `/sys/fs/cgroup/${t.id()}`
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  await t.ok(['--systemd-cgroup', 'run', '--detach', '--bundle', bundle.path, id])
  const { pid } = await t.state(id)
  mkdirSync(elsewhere)
  t.defer(async () => {
    await t.runtime(['delete', '--force', id])
    await waitFor(() => readFileSync(`${elsewhere}/cgroup.procs`, 'utf8') === '', { what: 'the cgroup to be empty' })
    rmdirSync(elsewhere)
  })
  writeFileSync(`${elsewhere}/cgroup.procs`, String(pid))
  await waitFor(
    async () =>
      (await execa('systemctl', ['list-units', '--all', '--plain', '--no-legend', `crio-lxc-${id}.scope`])).stdout ===
      '',
    { what: 'systemd to drop the scope' },
  )
  expect(await t.state(id)).toMatchObject({ status: 'running' })
  const { stdout } = await t.ok(['exec', id, 'cat', '/proc/self/cgroup'])
  expect(stdout).toContain(elsewhere.slice('/sys/fs/cgroup'.length))
  const pidFile = join(t.hostDirectory(), 'pid')
  await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
  expect(cgroupsOf(Number(readFileSync(pidFile, 'utf8')))['']).toBe(cgroupsOf(pid)[''])
  expect(JSON.parse((await t.ok(['ps', '--format', 'json', id])).stdout)).toContain(pid)
  await t.ok(['kill', '--all', id, 'KILL'])
  await t.waitForStatus(id, 'stopped')
  await t.ok(['delete', id])
})
