/** Limits as the container feels them. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCgroup } from '../../support/cgroup-files.ts'
import { type Created, useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { type Linux, withResources } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()
const MiB = 1 << 20

type Resources = Linux['resources']

describe('limits', () => {
  const limited = (resources: Resources, script: string): Promise<Created> =>
    t.running({ args: ['sh', '-c', script], spec: withResources(resources) })

  it('of memory end who asks for more, and events tells', async () => {
    const { id, bundle } = await limited(
      { memory: { limit: 24 * MiB, swap: 24 * MiB } },
      'until [ -e /go ]; do sleep 0.05; done; dd if=/dev/zero of=/dev/null bs=64M count=1',
    )
    const lines = join(t.hostDirectory(), 'lines')
    const through = ['sh', '-c', 'exec "$@" >"$0"', lines]
    const events = t.runtime(['events', '--interval', '100ms', id], { through })
    await waitFor(() => existsSync(lines) && t.read(lines).includes('"type":"stats"'), { what: 'events to watch' })
    writeFileSync(join(bundle.rootfs, 'go'), '')
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    await events
    expect(t.read(lines)).toContain(`{"type":"oom","id":"${id}"}\n`)
  })

  it('of pids refuse a fork', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo all'],
      spec: withResources({ pids: { limit: 4 } }),
    })
    expect(result.stderr).toMatch(/can't fork/)
    expect(result.stdout).toBe('')
  })

  it('of CPU time make the processes wait', async () => {
    const { id, pid } = await limited({ cpu: { quota: 10_000, period: 100_000 } }, 'while :; do :; done')
    const throttled = (): number =>
      Number(/^nr_throttled (\d+)$/m.exec(readCgroup(pid, 'cpu', 'cpu.stat'))?.[1] ?? Number.NaN)
    const before = await waitFor(() => throttled() || undefined)
    await waitFor(() => throttled() > before)
    const { data } = JSON.parse((await t.ok(['events', '--stats', id])).stdout) as {
      data: { cpu: { throttling: { throttledTime: number } } }
    }
    expect(data.cpu.throttling.throttledTime).toBeGreaterThan(0)
  })

  it('are there before the process begins', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'sleep 0 & sleep 0 & sleep 0 & wait; echo done'],
      spec: withResources({ pids: { limit: 1 } }),
    })
    expect(result.stdout).toBe('')
  })

  it('of devices refuse an open', async () => {
    const result = await t.run({
      args: ['sh', '-c', ': </dev/null && echo null; : </dev/port'],
      spec: (spec) => {
        spec.linux.devices = [{ path: '/dev/port', type: 'c', major: 1, minor: 11, fileMode: 0o666 }]
        spec.linux.resources.devices = [{ allow: false, access: 'rwm' }]
      },
    })
    expect(result.stdout).toBe('null\n')
    expect(result.stderr).toMatch(/\/dev\/port: Operation not permitted/)
  })
})
