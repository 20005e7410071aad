import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { hostMounts, namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'

// runc 1.1 asks only whether the namespace is listed, and would change the machine that these tests run on.
requires('root', 'own-runtime')
const t = useContainers()

/** Everything that a container could change for the whole host by a namespace that is not its own. */
function host(): string {
  const files = ['hostname', 'domainname', 'shmmni', 'msgmax'].map((name) => `/proc/sys/kernel/${name}`)
  files.push('/proc/sys/fs/mqueue/msg_max', '/proc/sys/net/ipv4/ip_unprivileged_port_start')
  return [...files.map((file) => `${file}: ${t.read(file)}`), ...hostMounts([t.directory])].join('\n')
}

/** Namespace type, its file, the field that then must not be set, and what sets it to another value than the host has. */
const settings: readonly (readonly [type: string, file: string, field: string, (spec: Spec) => void])[] = [
  ['uts', 'uts', 'hostname', (spec) => Object.assign(spec, { hostname: 'not-the-host' })],
  ['uts', 'uts', 'domainname', (spec) => Object.assign(spec, { hostname: '', domainname: 'not-the-host' })],
  [
    'uts',
    'uts',
    'linux.sysctl["kernel.domainname"]',
    (spec) => {
      spec.hostname = ''
      spec.linux.sysctl = { 'kernel.domainname': 'not-the-host' }
    },
  ],
  ['ipc', 'ipc', 'linux.sysctl["kernel.shmmni"]', (spec) => sysctl(spec, 'kernel.shmmni', '77')],
  ['ipc', 'ipc', 'linux.sysctl["kernel/msgmax"]', (spec) => sysctl(spec, 'kernel/msgmax', '77')],
  ['ipc', 'ipc', 'linux.sysctl["fs.mqueue.msg_max"]', (spec) => sysctl(spec, 'fs.mqueue.msg_max', '7')],
  [
    'network',
    'net',
    'linux.sysctl["net.ipv4.ip_unprivileged_port_start"]',
    (spec) => sysctl(spec, 'net.ipv4.ip_unprivileged_port_start', '321'),
  ],
  ['mount', 'mnt', 'linux.maskedPaths', () => {}],
  ['mount', 'mnt', 'linux.readonlyPaths', (spec) => delete spec.linux.maskedPaths as never],
  [
    'mount',
    'mnt',
    'linux.namespaces',
    (spec) => {
      delete spec.linux.maskedPaths
      delete spec.linux.readonlyPaths
    },
  ],
]

function sysctl(spec: Spec, name: string, value: string): void {
  spec.linux.sysctl = { [name]: value }
}

describe.each(settings)("%s namespace of the host's: %s refuses %s", (type, file, field, set) => {
  async function refused(change: (spec: Spec) => void): Promise<string> {
    const before = host()
    const bundle = await t.bundle({
      spec: (spec) => {
        change(spec)
        set(spec)
      },
    })
    const planned = await t.runtime(['debug', 'plan', bundle.path])
    const result = await t.run(bundle)
    expect(result.exitCode).toBe(1)
    expect(planned.stderr).toBe(result.stderr)
    expect(result.stderr.startsWith(`${field}: `), result.stderr).toBe(true)
    expect(host()).toBe(before)
    t.expectNothingLeft()
    return result.stderr
  }

  it('when it is absent', async () => {
    expect(await refused((spec) => shareWithHost(spec, type))).toMatch(/namespace in linux\.namespaces/)
  })

  it('when its path is that of a process of the host', async () => {
    const path = `/proc/${process.pid}/ns/${file}`
    const message = await refused((spec) => setNamespace(spec, type, path))
    expect(message).toMatch(/linux\.namespaces\[\d\]\.path .* is the host's/)
    expect(message).toContain(path)
  })

  it('when its path leads there by a symlink', async () => {
    const path = join(t.hostDirectory(), 'link')
    symlinkSync(`/proc/${process.pid}/ns/${file}`, path)
    expect(await refused((spec) => setNamespace(spec, type, path))).toContain(path)
  })
})

describe('a runtime in namespaces of its own', () => {
  // The shell is pid 1, and the runtime its child in another UTS and mount namespace.
  const through = [
    ...['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c'],
    'unshare --uts --mount "$@"; exit $?',
    'sh',
  ]

  it.each([
    ['uts', 'uts', 'hostname'],
    ['mount', 'mnt', 'linux.maskedPaths'],
  ])("does not take the %s namespace of pid 1 for the container's", async (type, file, field) => {
    const result = await t.run({ spec: (spec) => setNamespace(spec, type, `/proc/1/ns/${file}`) }, { through })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain(`${field}: needs a ${type} namespace of the container's`)
    expect(result.stderr).toContain(`/proc/1/ns/${file} is the host's`)
    t.expectNothingLeft()
  })
})

describe("a namespace path that is the host's", () => {
  it('is accepted when nothing is set in it', async () => {
    const { pid } = await t.running({
      spec: (spec) => {
        spec.hostname = ''
        for (const [type, file] of [
          ['uts', 'uts'],
          ['ipc', 'ipc'],
        ] as const)
          setNamespace(spec, type, `/proc/${process.pid}/ns/${file}`)
      },
    })
    expect(namespaceOf(pid, 'uts')).toBe(namespaceOf('self', 'uts'))
    expect(namespaceOf(pid, 'ipc')).toBe(namespaceOf('self', 'ipc'))
  })

  it('is accepted with the hostname that it has: nothing changes', async () => {
    const hostname = execFileSync('hostname', { encoding: 'utf8' }).trim()
    const report = await t.probe({
      spec: (spec) => {
        spec.hostname = hostname
        setNamespace(spec, 'uts', `/proc/${process.pid}/ns/uts`)
      },
    })
    expect(report.hostname).toBe(hostname)
  })
})
