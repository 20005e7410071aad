import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { cgroupMounts, cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { setNamespace } from '../../support/spec.ts'

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
