/** crio-lxc's own side of --systemd-cgroup. */
import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupsOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'systemd', 'own-runtime')
const t = useContainers()

async function units(pattern: string): Promise<string> {
  return (await execa('systemctl', ['list-units', '--all', '--plain', '--no-legend', pattern])).stdout
}

describe('--systemd-cgroup', () => {
  it('a create that fails leaves no unit', async () => {
    const id = t.id()
    const bundle = await t.bundle({ args: ['/no/such/program'] })
    const result = await t.runtime(['--systemd-cgroup', 'create', '--bundle', bundle.path, id])
    expect(messageOf(result)).toContain('/no/such/program')
    expect(await units(`*${id}*`)).toBe('')
    t.expectNothingLeft()
  })

  it('a create that is killed on the way leaves no scope once its processes have ended', async () => {
    const id = t.id()
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      // create waits for the hook, the scope is there.
      spec: (spec) => {
        spec.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '1000'] }] }
      },
    })
    const abort = new AbortController()
    const creating = t
      .runtime(['--systemd-cgroup', 'create', '--bundle', bundle.path, id], { cancelSignal: abort.signal })
      .catch(() => undefined)
    await waitFor(async () => (await units(`*${id}.scope`)) !== '', { timeoutMs: 20_000, what: 'the scope' })
    abort.abort()
    await creating
    await t.ok(['delete', '--force', id])
    await waitFor(async () => (await units(`*${id}*`)) === '', { what: 'the scope to end' })
  })

  it('a resident monitor has a scope of its own in --monitor-cgroup, and both go', async () => {
    const id = t.id()
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const monitor = ['--monitor=resident', '--monitor-cgroup=crio-lxc-mon.slice']
    const pidFile = `${bundle.path}/pid`
    await t.ok(['--systemd-cgroup', ...monitor, 'create', '--pid-file', pidFile, '--bundle', bundle.path, id])
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const unit = `crio-lxc-monitor-${id}.scope`
    expect(cgroupsOf(pid)['']).toBe(`/crio.slice/crio-lxc.slice/crio-lxc-mon.slice/${unit}`)
    expect(cgroupsOf((await t.state(id)).pid)['']).toBe(`/system.slice/crio-lxc-${id}.scope`)
    await t.ok(['delete', '--force', id])
    expect(isAlive(pid)).toBe(false)
    expect(await units(`*${id}*`)).toBe('')
  })

  it('a limit of one process lets the container start', async () => {
    const id = t.id()
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: (spec) => {
        spec.linux.resources = { ...spec.linux.resources, pids: { limit: 1 } }
      },
    })
    await t.ok(['--systemd-cgroup', 'run', '--detach', '--bundle', bundle.path, id])
    const { stdout } = await execa('systemctl', ['show', `crio-lxc-${id}.scope`, '--property', 'TasksMax'])
    expect(stdout).toBe('TasksMax=1')
  })

  it('refuses the scope of others, whose processes live on', async () => {
    const id = t.id()
    const unit = `test-${id}.scope`
    t.defer(async () => {
      await execa('systemctl', ['stop', unit], { reject: false })
    })
    const foreign = execa('systemd-run', ['--scope', '--unit', unit, 'sleep', '1000'], { reject: false })
    await waitFor(async () => (await units(unit)) !== '', { what: `${unit} to start` })
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.linux.cgroupsPath = `system.slice:test:${id}`
      },
    })
    const result = await t.runtime(['--systemd-cgroup', 'create', '--bundle', bundle.path, id])
    expect(messageOf(result)).toMatch(/it has processes: choose another linux\.cgroupsPath$/)
    expect(isAlive(foreign.pid ?? 0)).toBe(true)
    expect(await units(unit)).not.toBe('')
  })

  it.each([
    ['/a/b', 'linux.cgroupsPath: "/a/b" is not slice:prefix:name'],
    ['a:b:c', 'linux.cgroupsPath: "a" is not the name of a slice'],
    ['a.slice:b:c.slice', 'linux.cgroupsPath: "c.slice" is the name of a slice'],
  ])('refuses cgroupsPath %s', async (cgroupsPath, message) => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.linux.cgroupsPath = cgroupsPath
      },
    })
    const result = await t.runtime(['--systemd-cgroup', 'create', '--bundle', bundle.path, t.id()])
    expect(messageOf(result)).toContain(message)
    t.expectNothingLeft()
  })

  it('refuses a --monitor-cgroup that is no slice, where a monitor stays', async () => {
    const bundle = await t.bundle()
    const flags = ['--systemd-cgroup', '--monitor=resident', '--monitor-cgroup=/monitors']
    const result = await t.runtime([...flags, 'create', '--bundle', bundle.path, t.id()])
    expect(messageOf(result)).toContain('--monitor-cgroup /monitors')
    t.expectNothingLeft()
  })
})
