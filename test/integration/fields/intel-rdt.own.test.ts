/** No machine of the tests has resctrl: what is shown here is the refusal, and the verbs after create with a group that is none. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('linux.intelRdt on a host without resctrl', () => {
  it.each([
    ['closID', 'gold'],
    ['schemata', ['L3:0=f']],
    ['l3CacheSchema', 'L3:0=f'],
    ['memBwSchema', 'MB:0=20'],
    ['enableMonitoring', true],
    ['enableCMT', true],
    ['enableMBM', true],
  ])('%s is refused by its name', async (field, value) => {
    const result = await t.run({
      spec: (spec) => {
        spec.linux.intelRdt = { [field]: value }
      },
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain(`linux.intelRdt.${field}: this host has no resctrl: remove it from config.json`)
    t.expectNothingLeft()
  })

  it('an object that asks for nothing is no reason to fail', async () => {
    const result = await t.run({
      spec: (spec) => {
        spec.linux.intelRdt = { closID: '', enableCMT: false }
      },
    })
    expect(result).toMatchObject({ exitCode: 0 })
  })

  it.each(['--l3-cache-schema', '--mem-bw-schema'])('update %s is refused, and changes no limit', async (flag) => {
    const { id } = await t.running()
    const result = await t.runtime(['update', flag, 'L3:0=f', '--pids-limit', '77', id])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain('the container has no resctrl group: create it with linux.intelRdt')
    const { data } = JSON.parse((await t.ok(['events', '--stats', id])).stdout)
    expect(data.pids.limit).not.toBe(77)
    expect(data.intel_rdt).toEqual({})
  })
})

describe('a container with a group, for which a v1 cgroup stands in: its tasks take a process as those of resctrl do', () => {
  requires('cgroup-v1')

  it('exec joins it, and delete removes it', async () => {
    const group = `${cgroupMounts().pids}/stand-in-${process.pid}`
    const { id } = await t.running()
    mkdirSync(group)
    t.defer(() => {
      if (existsSync(group)) rmdirSync(group)
    })
    const path = `${t.root}/${id}/container.json`
    const facts = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...facts, resctrl: { group, tasks: [`${group}/tasks`], remove: [group] } }))
    const { stdout } = await t.ok(['exec', id, 'cat', '/proc/self/cgroup'])
    expect(stdout).toMatch(new RegExp(`:pids:.*/stand-in-${process.pid}$`, 'm'))
    await t.ok(['delete', '--force', id])
    expect(existsSync(group)).toBe(false)
  })
})
