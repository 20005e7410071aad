/** A cgroup above the container's is frozen, by an administrator or as a slice by systemd: nothing in it can begin, nor end on v1. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Much less than any time-out of the runtime. */
const AT_ONCE_MS = 4000

interface Freezer {
  readonly mountPoint: string
  readonly file: string
  readonly values: { readonly frozen: string; readonly thawed: string }
}

const mounts = Object.entries(cgroupMounts())
const freezers: [string, Freezer][] = mounts.flatMap(([key, mountPoint]): [string, Freezer][] => {
  if (key === '') return [['v2', { mountPoint, file: 'cgroup.freeze', values: { frozen: '1', thawed: '0' } }]]
  if (!key.split(',').includes('freezer')) return []
  return [['v1', { mountPoint, file: 'freezer.state', values: { frozen: 'FROZEN', thawed: 'THAWED' } }]]
})

/** The name of a cgroup around containers, made by the first of them, and what freezes it. */
function slice({ mountPoint, file, values }: Freezer): { name: string; set: (to: 'frozen' | 'thawed') => void } {
  const name = t.id()
  const set = (to: 'frozen' | 'thawed'): void => writeFileSync(`${mountPoint}/${name}/${file}`, values[to])
  t.defer(() => {
    if (existsSync(`${mountPoint}/${name}`)) set('thawed')
  })
  return { name, set }
}

/** With the cgroup of one container, once no process is there. */
function removed(directory: string): boolean {
  try {
    for (const path of [`${directory}/inner`, directory]) if (existsSync(path)) rmdirSync(path)
    return true
  } catch {
    return false
  }
}

describe.each(freezers)('a frozen cgroup of %s above the container', (version, freezer) => {
  const bundleIn = (name: string, args = ['sleep', '1000']) =>
    t.bundle({
      args,
      spec: (spec) => {
        spec.linux.cgroupsPath = `/${name}/inner`
      },
    })
  const above = (name: string): RegExp => new RegExp(`${freezer.mountPoint}/${name} .*frozen.*thaw`)

  it('refuses create, and run', async () => {
    const { name, set } = slice(freezer)
    mkdirSync(`${freezer.mountPoint}/${name}`)
    set('frozen')
    const bundle = await bundleIn(name)
    for (const verb of ['create', 'run']) {
      const result = await t.runtime([verb, '--bundle', bundle.path, t.id()])
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(above(name))
      expect(result.durationMs).toBeLessThan(AT_ONCE_MS)
    }
    expect(existsSync(`${freezer.mountPoint}/${name}/inner`)).toBe(false)
    rmdirSync(`${freezer.mountPoint}/${name}`)
  })

  it('refuses start, and the container can be started later', async () => {
    const { name, set } = slice(freezer)
    const { id } = await t.create(await bundleIn(name))
    set('frozen')
    const result = await t.runtime(['start', id])
    expect(messageOf(result)).toMatch(above(name))
    expect(result.durationMs).toBeLessThan(AT_ONCE_MS)
    set('thawed')
    await t.ok(['start', id])
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })

  it('refuses exec, which may wait with --ignore-paused', async () => {
    const { name, set } = slice(freezer)
    const { id } = await t.running(await bundleIn(name))
    set('frozen')
    const result = await t.runtime(['exec', id, 'true'])
    expect(messageOf(result)).toMatch(above(name))
    expect(result.durationMs).toBeLessThan(AT_ONCE_MS)
    const waiting = t.runtime(['exec', '--ignore-paused', id, 'echo', 'hello'])
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(() => resolve('waits'), 300))])).toBe(
      'waits',
    )
    set('thawed')
    expect(await waiting).toMatchObject({ exitCode: 0, stdout: 'hello\n' })
  })

  if (version === 'v1')
    it('lets nobody say that all are killed', async () => {
      const { name, set } = slice(freezer)
      const { id, pid } = await t.running(await bundleIn(name))
      set('frozen')
      const result = await t.runtime(['kill', '--all', id, 'KILL'])
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(
        new RegExp(`${freezer.mountPoint}/${name} is frozen, with 1 process .pid ${pid}.: thaw`),
      )
      expect(result.durationMs).toBeLessThan(AT_ONCE_MS)
      set('thawed')
      await t.waitForStatus(id, 'stopped')
    })

  if (version === 'v1')
    it('cannot keep the id: delete --force says what is left', async () => {
      const { name, set } = slice(freezer)
      const { id, pid } = await t.running(await bundleIn(name))
      set('frozen')
      const result = await t.runtime(['delete', '--force', id])
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(new RegExp(`${id} is deleted, but .*pid ${pid}`))
      expect(result.durationMs).toBeLessThan(AT_ONCE_MS)
      expect(await t.stateOrNone(id)).toBeUndefined()
      await t.ok(['delete', '--force', id])
      set('thawed')
      await waitFor(() => !isAlive(pid))
      await t.create({}, { id })
      await t.ok(['delete', '--force', id])
      await waitFor(() => mounts.every(([, mount]) => removed(`${mount}/${name}`)))
    })

  if (version === 'v2')
    it('keeps nothing alive', async () => {
      const { name, set } = slice(freezer)
      const { id, pid } = await t.running(await bundleIn(name))
      set('frozen')
      await t.ok(['delete', '--force', id])
      expect(isAlive(pid)).toBe(false)
    })
})
