import { execFileSync, spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { hostMounts, isAlive, namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { setNamespace, shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** OCI type -> name in /proc/PID/ns. */
const kinds = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', mount: 'mnt', cgroup: 'cgroup' } as const

/** A process in new namespaces of the host; its pid. */
async function unshared(...flags: string[]): Promise<number> {
  const child = spawn('unshare', [...flags, 'sleep', '1000'], { stdio: 'ignore' })
  t.defer(() => void child.kill('SIGKILL'))
  const pid = child.pid ?? 0
  await waitFor(() => t.read(`/proc/${pid}/comm`) === 'sleep\n')
  return pid
}

describe('linux.namespaces', () => {
  it.each(Object.entries(kinds))('%s is new', async (type, kind) => {
    const { pid } = await t.running({ spec: (spec) => setNamespace(spec, type) })
    expect(namespaceOf(pid, kind)).not.toBe(namespaceOf('self', kind))
  })

  it.each(Object.entries(kinds).filter(([type]) => !['mount', 'pid'].includes(type)))(
    "%s that is absent is the host's",
    async (type, kind) => {
      const { pid } = await t.running({
        spec: (spec) => {
          shareWithHost(spec, type)
          if (type === 'uts') delete spec.hostname
          if (type === 'network') {
            spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/sys'))
          }
        },
      })
      expect(namespaceOf(pid, kind)).toBe(namespaceOf('self', kind))
    },
  )

  it("pid that is absent is the host's", async () => {
    const { pid } = await t.running({ spec: (spec) => shareWithHost(spec, 'pid') })
    expect(namespaceOf(pid, 'pid')).toBe(namespaceOf('self', 'pid'))
  })

  it.each(Object.entries(kinds).filter(([type]) => !['mount', 'pid'].includes(type)))(
    '%s by path of another container',
    async (type, kind) => {
      const first = await t.running({ spec: (spec) => setNamespace(spec, type) })
      const second = await t.running({
        spec: (spec) => {
          setNamespace(spec, type, `/proc/${first.pid}/ns/${kind}`)
          if (type === 'uts') delete spec.hostname
        },
      })
      expect(namespaceOf(second.pid, kind)).toBe(namespaceOf(first.pid, kind))
      expect(namespaceOf(second.pid, kind)).not.toBe(namespaceOf('self', kind))
    },
  )

  it('pid by path: the process sees those of the other container', async () => {
    const first = await t.running({ args: ['sleep', '4321'] })
    const second = await t.run({
      args: ['ps', '-o', 'args'],
      spec: (spec) => setNamespace(spec, 'pid', `/proc/${first.pid}/ns/pid`),
    })
    expect(second.stdout.split('\n')).toContain('sleep 4321')
  })

  it('all of a pod at once: network, ipc, uts and pid by path', async () => {
    const infra = await t.running()
    const types = ['network', 'ipc', 'uts', 'pid'] as const
    const member = await t.running({
      spec: (spec) => {
        delete spec.hostname
        for (const type of types) setNamespace(spec, type, `/proc/${infra.pid}/ns/${kinds[type]}`)
      },
    })
    for (const type of types)
      expect(namespaceOf(member.pid, kinds[type]), type).toBe(namespaceOf(infra.pid, kinds[type]))
    expect(namespaceOf(member.pid, 'mnt')).not.toBe(namespaceOf(infra.pid, 'mnt'))
    await t.ok(['kill', member.id, 'KILL'])
    await waitFor(() => !isAlive(member.pid))
    expect(isAlive(infra.pid)).toBe(true)
  })

  it('network by a bind-mounted path, as CNI makes them', async () => {
    const directory = t.hostDirectory()
    execFileSync('touch', [`${directory}/netns`])
    execFileSync('unshare', [`--net=${directory}/netns`, 'true'])
    t.defer(() => void execFileSync('umount', [`${directory}/netns`]))
    const { pid } = await t.running({ spec: (spec) => setNamespace(spec, 'network', `${directory}/netns`) })
    const inode = execFileSync('stat', ['-L', '-c', '%i', `${directory}/netns`], { encoding: 'utf8' }).trim()
    expect(namespaceOf(pid, 'net')).toBe(`net:[${inode}]`)
  })

  it('mount by path: the container is in that namespace', async () => {
    const other = await unshared('--mount', '--propagation', 'private')
    const { pid } = await t.running({ spec: (spec) => setNamespace(spec, 'mount', `/proc/${other}/ns/mnt`) })
    expect(namespaceOf(pid, 'mnt')).toBe(namespaceOf(other, 'mnt'))
  })

  it("mount by path and nothing else: all others are the host's", async () => {
    const other = await unshared('--mount', '--propagation', 'private')
    const { pid } = await t.running({
      spec: (spec) => {
        delete spec.hostname
        spec.linux.namespaces = [{ type: 'mount', path: `/proc/${other}/ns/mnt` }]
        spec.mounts = spec.mounts.filter(({ type }) => type === 'tmpfs' || type === 'proc')
      },
    })
    for (const kind of Object.values(kinds))
      expect(namespaceOf(pid, kind)).toBe(namespaceOf(kind === 'mnt' ? other : 'self', kind))
  })

  it('a namespace path that does not exist fails and is named', async () => {
    const result = await t.run({ spec: (spec) => setNamespace(spec, 'network', '/no/such/netns') })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/\/no\/such\/netns/)
    t.expectNothingLeft()
  })

  it('a namespace path of the wrong kind fails', async () => {
    const result = await t.run({ spec: (spec) => setNamespace(spec, 'network', '/proc/self/ns/uts') })
    expect(result.exitCode).toBe(1)
    t.expectNothingLeft()
  })

  it('a namespace listed twice fails', async () => {
    const result = await t.run({ spec: (spec) => spec.linux.namespaces.push({ type: 'pid' }) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/pid/)
  })
})

describe('hostname', () => {
  it("is set in the container's own uts namespace only", async () => {
    const before = execFileSync('hostname', { encoding: 'utf8' })
    const report = await t.probe({
      spec: (spec) => {
        spec.hostname = 'inside.example.org'
      },
    })
    expect(report.hostname).toBe('inside.example.org')
    expect(execFileSync('hostname', { encoding: 'utf8' })).toBe(before)
  })

  it('without a uts namespace of its own is refused, and the host keeps its name', async () => {
    const before = execFileSync('hostname', { encoding: 'utf8' })
    const result = await t.run({ spec: (spec) => shareWithHost(spec, 'uts') })
    expect(result.exitCode).toBe(1)
    expect(execFileSync('hostname', { encoding: 'utf8' })).toBe(before)
  })
})

describe("settings of a namespace that is the host's", () => {
  it("refuses net.* when the network namespace's path leads to the host's", async () => {
    const path = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
    const before = t.read(path)
    expect(before).not.toBe('321\n')
    const result = await t.run({
      spec: (spec) => {
        setNamespace(spec, 'network', `/proc/${process.pid}/ns/net`)
        spec.mounts = spec.mounts.filter(({ type }) => type !== 'sysfs')
        spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '321' }
      },
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain('net.ipv4.ip_unprivileged_port_start')
    expect(t.read(path)).toBe(before)
    t.expectNothingLeft()
  })

  it('refuses masked and read-only paths without a mount namespace', async () => {
    const before = hostMounts([t.directory])
    const result = await t.run({ spec: (spec) => shareWithHost(spec, 'mount') })
    expect(result.exitCode).toBe(1)
    expect(hostMounts([t.directory])).toEqual(before)
    t.expectNothingLeft()
  })

  it("sets net.* in the namespace of another container, which is not the host's", async () => {
    const path = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
    const before = t.read(path)
    const first = await t.running()
    const result = await t.run({
      args: ['cat', path],
      spec: (spec) => {
        setNamespace(spec, 'network', `/proc/${first.pid}/ns/net`)
        spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '321' }
      },
    })
    expect(result.stdout, result.stderr).toBe('321\n')
    expect(t.read(path)).toBe(before)
  })
})

describe('network namespace', () => {
  it('has a loopback interface that is up, and no other of the host', async () => {
    const result = await t.run({
      args: [
        'sh',
        '-c',
        'cat /sys/class/net/lo/flags; ls /sys/class/net; ping -c 1 -w 2 127.0.0.1 >/dev/null && echo reached',
      ],
      process: { capabilities: { bounding: ['CAP_NET_RAW'], effective: ['CAP_NET_RAW'], permitted: ['CAP_NET_RAW'] } },
    })
    expect(Number(result.stdout.split('\n')[0]) & 1).toBe(1)
    expect(result.stdout).toContain('reached')
    expect(result.stdout).not.toMatch(/^eth0$/m)
  })
})
