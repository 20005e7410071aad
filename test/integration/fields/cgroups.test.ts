import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { cgroupMounts, cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'

requires('root')
const t = useContainers()
const mounts = cgroupMounts()

describe('linux.cgroupsPath', () => {
  it('an absolute path is the place in every hierarchy', async () => {
    const path = `/${t.id()}-parent/child`
    const { pid, id } = await t.running({
      spec: (spec) => {
        spec.linux.cgroupsPath = path
      },
    })
    for (const [hierarchy, place] of Object.entries(cgroupsOf(pid))) expect(place, hierarchy || 'cgroup2').toBe(path)
    await t.ok(['delete', '--force', id])
    for (const mount of Object.values(mounts)) expect(existsSync(mount + path), mount).toBe(false)
    removeParents(path)
  })

  it("a relative path is below the caller's cgroup or the root of each hierarchy", async () => {
    const name = `${t.id()}-relative`
    const { pid } = await t.running({
      spec: (spec) => {
        spec.linux.cgroupsPath = name
      },
    })
    const own = cgroupsOf('self')
    for (const [hierarchy, place] of Object.entries(cgroupsOf(pid))) {
      expect([`/${name}`, `${own[hierarchy]}/${name}`], hierarchy || 'cgroup2').toContain(place)
    }
  })

  it('an empty path gets a place of its own named by the id', async () => {
    const { pid, id } = await t.running()
    const own = cgroupsOf('self')
    for (const [hierarchy, place] of Object.entries(cgroupsOf(pid))) {
      expect(place.endsWith(id), `${hierarchy}: ${place}`).toBe(true)
      expect(place).not.toBe(own[hierarchy])
    }
  })

  it('the process is in its cgroup before start', async () => {
    const { pid, id } = await t.create()
    expect(Object.values(cgroupsOf(pid)).filter((place) => !place.endsWith(id))).toEqual([])
  })

  it('a path with .. does not leave the hierarchy', async () => {
    const result = await t.run({
      args: ['cat', '/proc/self/cgroup'],
      spec: (spec) => {
        spec.linux.cgroupsPath = `/../../${t.id()}-dots`
      },
    })
    if (result.exitCode === 0) expect(result.stdout).not.toContain('..')
  })

  it('delete removes cgroups that the container made below its own', async () => {
    const { pid, id } = await t.running()
    const place = `${mounts.pids ?? mounts['']}${cgroupsOf(pid)[mounts.pids === undefined ? '' : 'pids']}`
    mkdirSync(`${place}/made/inside`, { recursive: true })
    await t.ok(['delete', '--force', id])
    expect(existsSync(place)).toBe(false)
  })
})

describe('a cgroup that exists already', () => {
  const directories = (path: string): string[] => Object.values(mounts).map((mount) => mount + path)

  /** Made in every hierarchy with mkdir alone, as whoever prepares it does; removed with its parent after the test. */
  function makeCgroup(): string {
    const parent = `/${t.id()}-made`
    t.defer(() => {
      for (const directory of [...directories(`${parent}/child`), ...directories(parent)])
        if (existsSync(directory)) rmdirSync(directory)
    })
    for (const directory of directories(`${parent}/child`)) mkdirSync(directory, { recursive: true })
    return `${parent}/child`
  }

  const at = (path: string) => (spec: Spec) => {
    spec.linux.cgroupsPath = path
  }

  it('is taken over when it is empty, and removed by delete', async () => {
    const path = makeCgroup()
    const { id, pid } = await t.running({ spec: at(path) })
    expect([...new Set(Object.values(cgroupsOf(pid)))]).toEqual([path])
    await t.ok(['delete', '--force', id])
    expect(directories(path).filter(existsSync)).toEqual([])
  })

  it('is refused when it is frozen, and stays', async () => {
    const path = makeCgroup()
    const [file, frozen, thawed] =
      mounts.freezer === undefined
        ? [`${mounts['']}${path}/cgroup.freeze`, '1', '0']
        : [`${mounts.freezer}${path}/freezer.state`, 'FROZEN', 'THAWED']
    writeFileSync(file, frozen)
    t.defer(() => writeFileSync(file, thawed))
    const bundle = await t.bundle({ spec: at(path) })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/frozen/)
    expect(directories(path).filter((directory) => !existsSync(directory))).toEqual([])
  })

  describe('with processes of others', () => {
    // runc 1.1 warns, and has a container whose end it cannot see.
    requires('own-runtime')

    it('is refused, and they live on', async () => {
      const path = makeCgroup()
      const directory = `${mounts.pids ?? mounts['']}${path}`
      const other = spawn('sleep', ['1000'], { stdio: 'ignore' })
      const ended = new Promise((resolve) => other.once('exit', resolve))
      t.defer(async () => {
        other.kill('SIGKILL')
        await ended
      })
      writeFileSync(`${directory}/cgroup.procs`, String(other.pid))
      const bundle = await t.bundle({ spec: at(path) })
      const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
      expect(messageOf(result)).toBe(`use cgroup ${directory}: it has processes: choose another linux.cgroupsPath`)
      expect(readFileSync(`${directory}/cgroup.procs`, 'utf8')).toBe(`${other.pid}\n`)
    })
  })
})

it('a limit of one process lets the container start', async () => {
  const { pid } = await t.running({
    spec: (spec) => {
      spec.linux.resources = { ...spec.linux.resources, pids: { limit: 1 } }
    },
  })
  const place = `${mounts.pids ?? mounts['']}${cgroupsOf(pid)[mounts.pids === undefined ? '' : 'pids']}`
  expect(readFileSync(`${place}/pids.max`, 'utf8')).toBe('1\n')
})

describe('the cgroup mount', () => {
  it('shows the container its own cgroup, read-only', async () => {
    const script =
      'p=$(find /sys/fs/cgroup -name cgroup.procs | head -1); echo "$p"; cat "$p"; mkdir "$(busybox dirname "$p")/new"'
    const result = await t.run({ args: ['sh', '-c', script] })
    expect(result.stdout).toMatch(/^\/sys\/fs\/cgroup\/.*\n1\n/)
    expect(result.stderr).toMatch(/Read-only file system/)
  })

  it('with a cgroup namespace shows / as the root', async () => {
    const report = await t.probe({ spec: (spec) => setNamespace(spec, 'cgroup') })
    const lines = (report.cgroup ?? '').trim().split('\n')
    expect(lines.filter((line) => !line.endsWith(':/'))).toEqual([])
    expect(mountOn(report, '/sys/fs/cgroup')).toBeDefined()
  })

  it("leaves the host's cgroup2 mount options alone", async () => {
    const cgroupLines = () =>
      t
        .read('/proc/self/mountinfo')
        .split('\n')
        .filter((line) => line.includes(' - cgroup'))
    const before = cgroupLines()
    await t.run({ spec: (spec) => setNamespace(spec, 'cgroup') })
    await t.run({})
    expect(cgroupLines()).toEqual(before)
  })
})

/** Removes the parent that the test named: a runtime removes only the cgroup of the container. */
function removeParents(path: string): void {
  const parent = path.slice(0, path.lastIndexOf('/'))
  for (const mount of Object.values(mounts)) if (existsSync(mount + parent)) rmdirSync(mount + parent)
}
