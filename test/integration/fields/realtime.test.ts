/** The real-time limits of a cgroup, where the kernel has them. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { isRunc, messageOf } from '../../support/runtime.ts'
import { type Linux, withResources } from '../../support/spec.ts'

requires('root')
const t = useContainers()

type Resources = Linux['resources']

describe('linux.resources.cpu', () => {
  const cpu = cgroupMounts()['cpu'] ?? cgroupMounts()['cpu,cpuacct']
  const realtime = (runtime: number, period: number): Resources => ({
    cpu: { realtimeRuntime: runtime, realtimePeriod: period },
  })

  function dividesRealtime(): void {
    it('realtimePeriod and realtimeRuntime are set, and changed by update, within what the parent has', async () => {
      const id = t.id()
      const parent = `/${id}-realtime`
      const directory = `${cpu}${parent}`
      mkdirSync(directory)
      t.defer(async () => {
        await t.ok(['delete', '--force', id])
        for (const mount of Object.values(cgroupMounts())) if (existsSync(mount + parent)) rmdirSync(mount + parent)
      })
      writeFileSync(`${directory}/cpu.rt_runtime_us`, '20000')
      const bundle = await t.bundle({
        spec: (spec) => {
          withResources(realtime(4000, 500_000))(spec)
          spec.linux.cgroupsPath = `${parent}/child`
        },
      })
      const { pid } = await t.create(bundle, { id })
      const values = (): string[] =>
        ['cpu.rt_runtime_us', 'cpu.rt_period_us'].map((file) => readCgroup(pid, 'cpu', file))
      expect(values()).toEqual(['4000', '500000'])
      await t.ok(['update', '--cpu-rt-runtime', '8000', '--cpu-rt-period', '1000000', id])
      expect(values()).toEqual(['8000', '1000000'])
      // runc writes the shorter period first, for which the runtime is too long.
      if (isRunc) return
      await t.ok(['update', '--cpu-rt-runtime', '2000', '--cpu-rt-period', '250000', id])
      expect(values()).toEqual(['2000', '250000'])
    })
  }

  function lendsRealtime(): void {
    it('realtimeRuntime of containers without cgroupsPath is set, for one and for two at once', async () => {
      for (const runtime of [4000, 6000]) {
        const { pid } = await t.create({
          spec: (spec) => {
            withResources({ cpu: { realtimeRuntime: runtime } })(spec)
            delete spec.linux.cgroupsPath
          },
        })
        expect(readCgroup(pid, 'cpu', 'cpu.rt_runtime_us')).toBe(String(runtime))
      }
    })
  }

  function keepsRealtime(): void {
    requires('own-runtime')

    it('more than an administrator has given a cgroup is refused', async () => {
      const parent = `/${t.id()}-realtime`
      const directory = `${cpu}${parent}`
      mkdirSync(directory)
      t.defer(() => {
        for (const mount of Object.values(cgroupMounts())) if (existsSync(mount + parent)) rmdirSync(mount + parent)
      })
      writeFileSync(`${directory}/cpu.rt_runtime_us`, '2000')
      const bundle = await t.bundle({
        spec: (spec) => {
          withResources({ cpu: { realtimeRuntime: 4000 } })(spec)
          spec.linux.cgroupsPath = `${parent}/child`
        },
      })
      const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
      expect(messageOf(result)).toMatch(/^linux\.resources\.cpu\.realtimeRuntime: write "4000" to /)
      expect(t.read(`${directory}/cpu.rt_runtime_us`)).toBe('2000\n')
    })
  }

  function refusesRealtime(): void {
    requires('own-runtime')

    it('realtimePeriod and realtimeRuntime are refused by name', async () => {
      const bundle = await t.bundle({ spec: withResources(realtime(4000, 500_000)) })
      const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
      expect(messageOf(result)).toMatch(/^linux\.resources\.cpu\.realtime\w+: .*controller.* has no such (file|limit)/)
      t.expectNothingLeft()
    })
  }

  if (existsSync(`${cpu}/cpu.rt_runtime_us`)) {
    dividesRealtime()
    lendsRealtime()
    describe('of a cgroup that somebody else has made', keepsRealtime)
  } else refusesRealtime()
})
