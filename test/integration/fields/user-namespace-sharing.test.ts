/** User namespaces that are joined, and new ones with namespaces of the host. */
import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseMountinfo } from '../../support/probe.ts'
import { namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { capabilitySets, type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { COUNT, FIRST, giveImage, mapIds, mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

const { mapped, shell } = mappedBundles(t)

describe('a user namespace by path', () => {
  const kinds = { user: 'user', pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' } as const

  it('is joined with all others of another container, and has its ids', async () => {
    const infra = await t.running(
      await mapped({ args: ['sleep', '4321'], spec: (spec) => setNamespace(spec, 'cgroup') }),
    )
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      process: { user: { uid: 5, gid: 5 } },
      spec: (spec) => {
        delete spec.hostname
        mapIds(spec)
        for (const [type, kind] of Object.entries(kinds)) setNamespace(spec, type, `/proc/${infra.pid}/ns/${kind}`)
      },
    })
    giveImage(bundle)
    const member = await t.running(bundle)
    for (const kind of Object.values(kinds))
      expect(namespaceOf(member.pid, kind), kind).toBe(namespaceOf(infra.pid, kind))
    expect(t.read(`/proc/${member.pid}/status`)).toMatch(new RegExp(`^Uid:(\t${FIRST + 5}){4}$`, 'm'))
    expect((await t.ok(['exec', member.id, 'ps', '-o', 'args'])).stdout).toContain('sleep 4321')
  })

  it('may be a file that is bound somewhere, with the same mappings beside it', async () => {
    const holder = spawn('unshare', ['--user', 'sleep', '1000'], { stdio: 'ignore' })
    t.defer(() => void holder.kill('SIGKILL'))
    await waitFor(() => t.read(`/proc/${holder.pid}/comm`) === 'sleep\n')
    writeFileSync(`/proc/${holder.pid}/uid_map`, `0 ${FIRST} ${COUNT}`)
    writeFileSync(`/proc/${holder.pid}/gid_map`, `0 ${FIRST} ${COUNT}`)
    const file = join(t.hostDirectory(), 'userns')
    writeFileSync(file, '')
    execFileSync('mount', ['--bind', `/proc/${holder.pid}/ns/user`, file])
    t.defer(() => void execFileSync('umount', [file]))
    const bundle = await t.bundle({
      args: ['cat', '/proc/self/uid_map'],
      spec: (spec) => {
        mapIds(spec)
        setNamespace(spec, 'user', file)
      },
    })
    giveImage(bundle)
    const { stdout, stderr } = await t.run(bundle)
    expect(stdout.trim().split(/\s+/), stderr).toEqual(['0', String(FIRST), String(COUNT)])
  })
})

describe("a new user namespace with the host's processes", () => {
  /** As podman has it, because nobody there may mount a procfs that shows them. */
  const hostProcesses = (spec: Spec): void => {
    shareWithHost(spec, 'pid')
    const options = ['rbind', 'nosuid', 'noexec', 'nodev']
    const proc = { destination: '/proc', type: 'bind', source: '/proc', options }
    spec.mounts = spec.mounts.map((mount) => (mount.destination === '/proc' ? proc : mount))
  }

  it('sees them, and can change nothing below /proc', async () => {
    const script = [
      'cat /proc/self/uid_map',
      'ls -d /proc/1 /proc/$$',
      'cat /proc/1/environ',
      'ls /proc/1/root/',
      'echo x >/proc/sys/kernel/core_pattern',
      'mount -o remount,bind,rw /proc/sys',
      'umount /proc/sys',
      'echo again >/proc/sys/kernel/core_pattern',
      'cat /proc/keys',
    ].join('; ')
    const capabilities = capabilitySets('CAP_SYS_ADMIN', 'CAP_SYS_PTRACE')
    const process = { capabilities }
    const before = t.read('/proc/sys/kernel/core_pattern')
    const { stdout, stderr } = await t.run(await shell(script, { spec: hostProcesses, process }))
    expect(stdout.trim().split(/\s+/)).toEqual([
      '0',
      `${FIRST}`,
      `${COUNT}`,
      '/proc/1',
      expect.stringMatching(/^\/proc\/\d+$/),
    ])
    for (const refused of [/environ.*denied/, /root.*denied/, /core_pattern.*(Read-only|denied)/])
      expect(stderr).toMatch(refused)
    expect(t.read('/proc/sys/kernel/core_pattern')).toBe(before)
  })

  it('has no more mounts below /proc than with processes of its own', async () => {
    const mountsOf = async (spec: (spec: Spec) => void): Promise<string[]> => {
      const { stdout } = await t.run(await shell('cat /proc/self/mountinfo', { spec }))
      return parseMountinfo(stdout).flatMap(({ point, type }) =>
        point.startsWith('/proc/') ? [`${type} ${point}`] : [],
      )
    }
    const own = await mountsOf(() => {})
    const others = await mountsOf(hostProcesses)
    // What the host has mounted below its own /proc comes with it.
    const host = parseMountinfo(t.read('/proc/self/mountinfo')).map(({ point, type }) => `${type} ${point}`)
    expect(others.filter((mount) => !host.includes(mount)).sort()).toEqual(own.sort())
  })

  it('can be entered, and has its own sysctls', async () => {
    const spec = (spec: Spec): void => {
      hostProcesses(spec)
      spec.linux.sysctl = { 'net.ipv4.ip_default_ttl': '77', 'kernel.shm_rmid_forced': '1' }
    }
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'], spec }))
    const files = ['/proc/sys/net/ipv4/ip_default_ttl', '/proc/sys/kernel/shm_rmid_forced']
    const { stdout } = await t.ok(['exec', id, 'cat', ...files, `/proc/${pid}/comm`])
    expect(stdout).toBe('77\n1\nsleep\n')
  })
})
