import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

interface Inspection {
  readonly status: string
  readonly pid: number
  readonly asked: Record<string, unknown>
  readonly planned: Record<string, unknown>
  readonly is: Record<string, unknown>
}

async function inspect(id: string): Promise<Inspection> {
  return JSON.parse((await t.ok(['inspect', '--json', id])).stdout) as Inspection
}

describe('inspect', () => {
  it('has what was asked, what create planned and what the kernel says', async () => {
    const { id, pid } = await t.running({
      args: ['sleep', '1000'],
      spec: (spec) => {
        Object.assign(spec.linux.resources, { memory: { limit: 64 << 20 }, pids: { limit: 9 } })
        Object.assign(spec.process, { oomScoreAdj: 321, noNewPrivileges: true })
        spec.linux.cgroupsPath = `/inspect-test/${t.id()}`
      },
    })
    const found = await inspect(id)
    expect(found).toMatchObject({ status: 'running', pid, planned: { monitor: 'handed over' } })
    for (const view of [found.asked, found.is])
      expect(view).toMatchObject({
        args: ['sleep', '1000'],
        'memory.limit': String(64 << 20),
        'pids.limit': '9',
        oomScoreAdj: '321',
        noNewPrivileges: 'true',
      })
    expect(new Set([found.asked, found.planned, found.is].map((view) => view['cgroupsPath'])).size).toBe(1)
    expect(found.asked['namespaces.pid']).toBe('new')
    expect(found.is['namespaces.pid']).toMatch(/^pid:\[\d+\]$/)
    expect(found.is['namespaces.user']).toBe("the host's")
    const [asked, is] = [found.asked, found.is].map((view) => [...(view['capabilities.bounding'] as string[])].sort())
    expect(is).toEqual(asked)
  })

  it('has devices as they were asked for, and rlimits and sysctls as the container has them now', async () => {
    const { id } = await t.running({
      args: ['sh', '-c', 'ulimit -S -n 99; exec sleep 1000'],
      spec: (spec) => {
        spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]
        spec.linux.devices = [{ type: 'c', major: 1, minor: 5, path: '/dev/there' }]
        spec.linux.sysctl = { 'net.ipv4.ip_default_ttl': '77', 'kernel.msgmax': '4097' }
      },
    })
    await t.ok([
      'exec',
      id,
      'sh',
      '-c',
      'until test "$(grep "open files" /proc/1/limits | tr -s " " | cut -d" " -f4)" = 99; do sleep 0.01; done',
    ])
    const { asked, is } = await inspect(id)
    expect(asked).toMatchObject({
      'rlimits.RLIMIT_NOFILE': '100/200',
      devices: ['c 1:5 /dev/there'],
      'sysctl.net.ipv4.ip_default_ttl': '77',
      'sysctl.kernel.msgmax': '4097',
    })
    expect(is).toMatchObject({
      'rlimits.RLIMIT_NOFILE': '99/200',
      'sysctl.net.ipv4.ip_default_ttl': '77',
      'sysctl.kernel.msgmax': '4097',
    })
  })

  it('shows what update has changed since', async () => {
    const { id } = await t.running({ args: ['sleep', '1000'] })
    await t.ok(['update', '--pids-limit', '7', id])
    const lines = (await t.ok(['inspect', id])).stdout.split('\n')
    expect(lines[0]).toMatch(new RegExp(`^${id} is running, pid \\d+; made \\S+ of /`))
    expect(lines[2]).toMatch(/^ +ASKED +PLANNED +IS$/)
    expect(lines.find((line) => line.startsWith('pids.limit'))).toMatch(/^pids\.limit +\S+ +- +7$/)
  })

  it('knows one that has stopped, one whose config.json is damaged, and none that does not exist', async () => {
    const { id } = await t.stopped()
    expect(await inspect(id)).toMatchObject({ status: 'stopped', pid: 0, is: {} })
    const path = join(t.root, id, 'config.json')
    writeFileSync(path, '{')
    chmodSync(path, 0o600)
    const result = await t.ok(['inspect', '--json', id])
    expect(result.stderr).toMatch(/^warning: what was asked cannot be told: read .*\/config\.json: /)
    expect(JSON.parse(result.stdout)).toMatchObject({ asked: {}, planned: { args: [expect.any(String)] } })
    expect(await t.runtime(['inspect', 'no-such'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('container does not exist'),
    })
  })

  it('shows no control character of the container', async () => {
    const { id } = await t.running({ args: ['sh', '-c', 'sleep 1000; : \x1b[31m'] })
    for (const flags of [[], ['--json']]) expect((await t.ok(['inspect', ...flags, id])).stdout).not.toContain('\x1b')
  })
})
