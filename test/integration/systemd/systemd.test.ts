/** What only a host that systemd manages can show: the container's cgroup is a transient scope. */
import { existsSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import type { BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts, cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { type InvokeOptions, isRunc, messageOf } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'systemd')
const t = useContainers()

interface Scoped {
  readonly id: string
  readonly pid: number
  /** `SLICE:test:ID` */
  readonly unit: string
}

/** A container in the scope test-ID.scope of crio-lxc-test.slice, made by `create`. */
async function create(options: BundleOptions = {}, invoke: InvokeOptions & { flags?: string[] } = {}): Promise<Scoped> {
  const id = t.id()
  const bundle = await t.bundle({
    args: ['sleep', '1000'],
    ...options,
    spec: (spec) => {
      spec.linux.cgroupsPath = `crio-lxc-test.slice:test:${id}`
      options.spec?.(spec)
    },
  })
  await t.ok(['--systemd-cgroup', ...(invoke.flags ?? []), 'create', '--bundle', bundle.path, id], invoke)
  return { id, pid: (await t.state(id)).pid, unit: `test-${id}.scope` }
}

/** Properties of a unit as `systemctl show` prints them. */
async function show(unit: string, ...names: string[]): Promise<Record<string, string>> {
  const { stdout } = await execa('systemctl', ['show', unit, '--property', names.join(',')])
  return Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]))
}

const isLoaded = async (unit: string): Promise<boolean> => (await show(unit, 'LoadState'))['LoadState'] !== 'not-found'

/** A scope of somebody else, which fails after a second. */
async function foreignScope(unit: string): Promise<void> {
  t.defer(async () => {
    await execa('systemctl', ['stop', unit], { reject: false })
    await execa('systemctl', ['reset-failed', unit], { reject: false })
  })
  execa('systemd-run', ['--scope', '--unit', unit, '-p', 'RuntimeMaxSec=1', 'sleep', '1000'], {
    reject: false,
    stdio: 'ignore',
  })
  await waitFor(() => isLoaded(unit), { what: `${unit} to start` })
}

const limitPids =
  (limit: number) =>
  (spec: Spec): void => {
    spec.linux.resources = { ...spec.linux.resources, pids: { limit } }
  }

/** The container's pids.max, in whichever hierarchy it is. */
function pidsMax(pid: number): string {
  const [mounts, own] = [cgroupMounts(), cgroupsOf(pid)]
  const controller = mounts['pids'] === undefined ? '' : 'pids'
  return readFileSync(`${mounts[controller]}${own[controller]}/pids.max`, 'utf8').trim()
}

/** Files of the container's limits, in whichever hierarchies they are. */
function limitsOf(pid: number): Record<string, string> {
  const [mounts, own] = [cgroupMounts(), cgroupsOf(pid)]
  const files = [
    ...['memory.max', 'cpu.max', 'cpu.weight', 'cpuset.cpus', 'memory.limit_in_bytes'],
    ...['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.shares'],
  ]
  return Object.fromEntries(
    Object.entries(mounts).flatMap(([key, mount]) =>
      files.flatMap((file) => {
        const path = `${mount}${own[key]}/${file}`
        return existsSync(path) ? [[file, readFileSync(path, 'utf8').trim()]] : []
      }),
    ),
  )
}

describe('cgroupsPath slice:prefix:name', () => {
  it('is a delegated transient scope in the slice, and every process is in it', async () => {
    const { id, pid, unit } = await create()
    const path = `/crio.slice/crio-lxc.slice/crio-lxc-test.slice/${unit}`
    expect(
      await show(unit, 'Slice', 'ControlGroup', 'Delegate', 'Transient', 'DefaultDependencies', 'ActiveState'),
    ).toEqual({
      Slice: 'crio-lxc-test.slice',
      ControlGroup: path,
      Delegate: 'yes',
      Transient: 'yes',
      DefaultDependencies: 'no',
      ActiveState: 'active',
    })
    await t.ok(['start', id])
    const { misc: _, ...own } = cgroupsOf(pid)
    expect([...new Set(Object.values(own))]).toEqual([path])
    const procs = `${Object.values(cgroupMounts()).at(-1)}${path}/cgroup.procs`
    expect(readFileSync(procs, 'utf8').trim()).toBe(String(pid))
    const { stdout } = await t.ok(['exec', id, 'sh', '-c', 'echo $$; cat /proc/self/mountinfo >/dev/null; sleep 0'])
    expect(stdout).toMatch(/^\d+\n$/)
  })

  it('is gone after delete, and its name is free', async () => {
    const { id, unit } = await create()
    await t.ok(['--systemd-cgroup', 'delete', '--force', id])
    expect(await isLoaded(unit)).toBe(false)
  })

  it('is gone after a delete that does not say --systemd-cgroup', async () => {
    const { id, unit } = await create()
    await t.ok(['delete', '--force', id])
    expect(await isLoaded(unit)).toBe(false)
  })

  it('ends with the processes; delete finds nothing and is content', async () => {
    const { id, unit } = await create()
    await t.ok(['start', id])
    await t.ok(['kill', id, 'KILL'])
    await waitFor(async () => !(await isLoaded(unit)), { what: `${unit} to end` })
    await t.ok(['delete', id])
  })

  it('is in system.slice when cgroupsPath is absent', async () => {
    const { id, pid } = await create({
      spec: (spec) => {
        delete spec.linux.cgroupsPath
      },
    })
    const unit = `${isRunc ? 'runc' : 'crio-lxc'}-${id}.scope`
    expect(cgroupsOf(pid)['']).toBe(`/system.slice/${unit}`)
    expect(await show(unit, 'Slice')).toEqual({ Slice: 'system.slice' })
  })
})

describe('properties of the scope', () => {
  it('the limit of processes is one, and survives a reload of systemd', async () => {
    const { id, pid, unit } = await create({ spec: limitPids(19) })
    await t.ok(['start', id])
    expect(await show(unit, 'TasksMax')).toEqual({ TasksMax: '19' })
    expect(pidsMax(pid)).toBe('19')
    await execa('systemctl', ['daemon-reload'])
    expect(pidsMax(pid)).toBe('19')
  })

  /** Before, after a reload of systemd, and after an update and another reload. */
  it('limits of memory and CPU are properties, and survive reloads and an update', async () => {
    const { id, pid, unit } = await create({
      spec: (spec) => {
        const cpu = { shares: 512, quota: 50_000, period: 100_000, cpus: '0', mems: '0' }
        spec.linux.resources = { ...spec.linux.resources, memory: { limit: 64 << 20 }, cpu }
      },
    })
    await t.ok(['start', id])
    const v2 = cgroupMounts()['memory'] === undefined
    const names = v2 ? ['MemoryMax', 'AllowedCPUs'] : ['MemoryLimit', 'CPUShares']
    expect(await show(unit, 'CPUQuotaPerSecUSec', ...names)).toEqual({
      CPUQuotaPerSecUSec: '500ms',
      ...(v2 ? { MemoryMax: String(64 << 20), AllowedCPUs: '0' } : { MemoryLimit: String(64 << 20), CPUShares: '512' }),
    })
    const made = limitsOf(pid)
    expect(made).toMatchObject(v2 ? { 'cpu.max': '50000 100000', 'cpuset.cpus': '0' } : { 'cpu.shares': '512' })
    await execa('systemctl', ['daemon-reload'])
    expect(limitsOf(pid)).toEqual(made)

    await t.ok(['update', '--memory', String(96 << 20), '--cpu-quota', '20000', '--pids-limit', '33', id])
    expect(await show(unit, 'CPUQuotaPerSecUSec', 'TasksMax')).toEqual({ CPUQuotaPerSecUSec: '200ms', TasksMax: '33' })
    const updated = limitsOf(pid)
    const file = v2 ? 'memory.max' : 'memory.limit_in_bytes'
    expect(updated).toEqual({
      ...made,
      [file]: String(96 << 20),
      ...(v2 ? { 'cpu.max': '20000 100000' } : { 'cpu.cfs_quota_us': '20000' }),
    })
    expect(pidsMax(pid)).toBe('33')
    await execa('systemctl', ['daemon-reload'])
    expect(limitsOf(pid)).toEqual(updated)
    expect(pidsMax(pid)).toBe('33')
  })

  it('annotations set others, with seconds for what D-Bus has in microseconds', async () => {
    const { unit } = await create({
      spec: (spec) => {
        spec.annotations = {
          'org.systemd.property.TimeoutStopSec': '7',
          'org.systemd.property.CollectMode': "'inactive'",
          'org.systemd.property.Documentation': "['man:sleep(1)', 'man:true(1)']",
          'org.systemd.property.RuntimeMaxUSec': 'uint64 3600000000',
        }
      },
    })
    expect(await show(unit, 'TimeoutStopUSec', 'CollectMode', 'Documentation', 'RuntimeMaxUSec')).toMatchObject({
      TimeoutStopUSec: '7s',
      CollectMode: 'inactive',
      Documentation: expect.stringContaining('man:true(1)'),
      RuntimeMaxUSec: '1h',
    })
  })

  it.each([
    ['Nonsense', "'x'", /Nonsense/],
    ['TimeoutStopSec', 'word', /TimeoutStopSec/],
  ])('an annotation %s %s is refused by its name', async (name, value, message) => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.annotations = { [`org.systemd.property.${name}`]: value }
      },
    })
    const result = await t.runtime(['--systemd-cgroup', 'create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).not.toBe(0)
    expect(messageOf(result)).toMatch(message)
    t.expectNothingLeft()
  })

  it('devices stay refused when systemd reloads', async () => {
    const { id } = await create({
      spec: (spec) => {
        spec.linux.devices = [{ path: '/dev/port', type: 'c', major: 1, minor: 11, fileMode: 0o666 }]
        spec.linux.resources = { ...spec.linux.resources, devices: [{ allow: false, access: 'rwm' }] }
      },
    })
    await t.ok(['start', id])
    const open = (): ReturnType<typeof t.runtime> => t.runtime(['exec', id, 'sh', '-c', ': </dev/port'])
    const before = await open()
    expect(before.exitCode).not.toBe(0)
    await execa('systemctl', ['daemon-reload'])
    expect(await open()).toMatchObject({ exitCode: before.exitCode, stderr: before.stderr })
    await t.ok(['exec', id, 'sh', '-c', ': </dev/null'])
  })
})

it('the name of a scope that has failed is free', async () => {
  const id = t.id()
  const unit = `test-${id}.scope`
  await foreignScope(unit)
  await waitFor(async () => (await show(unit, 'ActiveState'))['ActiveState'] === 'failed', {
    what: `${unit} to fail`,
  })
  const bundle = await t.bundle({
    spec: (spec) => {
      spec.linux.cgroupsPath = `system.slice:test:${id}`
    },
  })
  await t.ok(['--systemd-cgroup', 'run', '--bundle', bundle.path, id])
})

it('systemd is reached without a bus', async () => {
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/run/no-such-bus' } as Record<string, string>
  const { id, unit } = await create({}, { env })
  expect(await isLoaded(unit)).toBe(true)
  await t.ok(['--systemd-cgroup', 'delete', '--force', id], { env })
  expect(await isLoaded(unit)).toBe(false)
})
