import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

interface Event {
  type: string
  id: string
  data: {
    cpu: { usage: { total: number; kernel: number; user: number }; throttling: object }
    memory: { usage: { limit: number; usage: number }; swap: { limit: number }; raw: Record<string, number> }
    pids: { current: number; limit?: number }
    blkio: object
    hugetlb: object
  }
}

/** Those that are left out when they are 0 come and go with what the container does; of v2 runc 1.1 has no maximum, and 1.1.15 no failures of huge pages. */
const volatile = /^\.data\.(memory\.(cache$|raw\.|usage\.max$)|cpu\.throttling\.|blkio\.|hugetlb\.[^.]+\.failcnt$)/

/** `.data.pids.current number` of every field. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return volatile.test(path) ? [] : [`${path} ${Array.isArray(value) ? 'array' : typeof value}`]
  return Object.entries(value)
    .flatMap(([name, field]) => fieldsOf(field, `${path}.${name}`))
    .sort()
}

describe('events', () => {
  it('--stats prints one line about what the container uses', async () => {
    const { id } = await t.running({
      args: ['sh', '-c', 'sleep 1001 & wait'],
      spec: (spec) => {
        Object.assign(spec.linux.resources, { memory: { limit: 100 << 20 }, pids: { limit: 77 } })
      },
    })
    const event = await waitFor(async () => {
      const { stdout } = await t.ok(['events', '--stats', id])
      expect(stdout).toMatch(/^\{.*\}\n$/)
      const event = JSON.parse(stdout) as Event
      return event.data.pids.current === 2 ? event : undefined
    })
    expect(event).toMatchObject({ type: 'stats', id })
    const { cpu, memory, pids } = event.data
    expect(pids).toEqual({ current: 2, limit: 77 })
    expect(memory.usage.limit).toBe(100 << 20)
    expect(memory.usage.usage).toBeGreaterThan(4096)
    expect(Object.keys(memory.raw).length).toBeGreaterThan(10)
    expect(cpu.usage.total).toBeGreaterThan(0)
    expect(Object.keys(event.data)).toEqual([
      ...['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'hugetlb', 'intel_rdt', 'network_interfaces'],
    ])
  })

  it('ends when nobody reads it any more', async () => {
    const { id } = await t.running()
    const lines = `"$@" --root ${t.root} events --interval 100ms ${id} | head -n 1`
    const { status, signal, stdout } = spawnSync('sh', ['-c', lines, 'sh', runtimePath], {
      encoding: 'utf8',
      timeout: 10_000,
    })
    expect({ status, signal }).toEqual({ status: 0, signal: null })
    expect(stdout).toMatch(/^\{"type":"stats",.*\n$/)
  })

  it('prints every limit with all its digits', async () => {
    const { id } = await t.running()
    const { stdout } = await t.ok(['events', '--stats', id])
    expect(stdout).toMatch(/"usage":\{"limit":(9223372036854771712|18446744073709551615),/)
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it("--stats has the fields of runc's, with values of the same kind", async () => {
      const limits = (spec: Spec): void => {
        Object.assign(spec.linux.resources, {
          memory: { limit: 100 << 20 },
          pids: { limit: 77 },
          cpu: { quota: 50_000 },
        })
      }
      const { id, bundle } = await t.running({ spec: limits })
      const own = JSON.parse((await t.ok(['events', '--stats', id])).stdout) as object
      const other = t.id()
      // A file, as the container keeps what it is given open.
      const output = join(t.hostDirectory(), 'output')
      const runc = (...args: string[]): string => {
        const fd = openSync(output, 'w')
        try {
          execFileSync('runc', ['--root', join(t.directory, 'runc-root'), ...args], { stdio: ['ignore', fd, fd] })
        } finally {
          closeSync(fd)
        }
        return t.read(output)
      }
      t.defer(() => {
        runc('delete', '--force', other)
      })
      bundle.writeConfig({ ...bundle.spec, linux: { ...bundle.spec.linux, cgroupsPath: `/${other}` } })
      runc('run', '--detach', '--bundle', bundle.path, other)
      expect(fieldsOf(own)).toEqual(fieldsOf(JSON.parse(runc('events', '--stats', other)) as object))
    })

    // runc goes on until the container is deleted.
    it('prints statistics at each interval until the container ends', async () => {
      const { id } = await t.running({ args: ['sleep', '3'] })
      const { stdout } = await t.ok(['events', '--interval', '200ms', id])
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Event)
      expect(events.every(({ type }) => type === 'stats')).toBe(true)
      expect(events.length).toBeGreaterThanOrEqual(2)
    })
  })

  it('refuses what it cannot do', async () => {
    const { id } = await t.stopped()
    expect(messageOf(await t.runtime(['events', '--stats', id]))).toMatch(/not running/)
    const running = await t.running()
    const result = await t.runtime(['events', '--interval', '0s', running.id])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/duration interval must be greater than 0/)
  })
})
