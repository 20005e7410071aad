/** /sys of the host in a container: as a bind, or because the kernel gives no other; and cgroup mounts on top of it. */
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseMountinfo } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'
import { mapIds, mappedBundles } from '../../support/user-namespace.ts'

requires('root', 'own-runtime')
const t = useContainers()
const { mapped } = mappedBundles(t)

const withoutNamespace = (spec: Spec, type: string): void => {
  spec.linux.namespaces = spec.linux.namespaces?.filter((namespace) => namespace.type !== type)
}

/** As podman passes `-v /sys:/sys:ro`, with a cgroup mount on top. */
function bindSys(spec: Spec): void {
  spec.mounts = spec.mounts.map((mount) =>
    mount.destination === '/sys'
      ? { ...mount, type: 'bind', source: '/sys', options: ['rprivate', 'nosuid', 'noexec', 'nodev', 'ro', 'rbind'] }
      : mount,
  )
  if (!spec.mounts.some(({ destination }) => destination === '/sys/fs/cgroup'))
    spec.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'ro'] })
}

/** Of the cgroup that is seen at /sys/fs/cgroup; on v1 of the pids hierarchy. */
const look = [
  'sh',
  '-c',
  'cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; cat /proc/self/mountinfo',
]

describe('a cgroup mount on a recursive bind of /sys', () => {
  it.each([
    ['with a cgroup namespace', 'none', false],
    ['without a cgroup namespace', 'cgroup', false],
    ['with a cgroup namespace, in a user namespace', 'none', true],
    ['without a cgroup namespace, in a user namespace', 'cgroup', true],
  ])('shows the cgroup of the container (%s)', async (_, absent, users) => {
    const spec = (spec: Spec): void => {
      setNamespace(spec, 'cgroup')
      withoutNamespace(spec, absent)
      if (users) withoutNamespace(spec, 'network')
      bindSys(spec)
      spec.linux.resources = { ...spec.linux.resources, pids: { limit: 77 } }
    }
    const bundle = await (users ? mapped({ args: look, spec }) : t.bundle({ args: look, spec }))
    const { exitCode, stdout, stderr } = await t.run(bundle)
    expect(exitCode, stderr).toBe(0)
    expect(stdout.split('\n')[0]).toBe('77')
  })
})

describe("sysfs in a user namespace whose network namespace is the host's", () => {
  it.each([['ro'], ['rw']])("is a bind of the host's /sys, with all that is below (%s)", async (access) => {
    const bundle = await mapped({
      args: ['cat', '/proc/self/mountinfo'],
      spec: (spec) => {
        withoutNamespace(spec, 'network')
        spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup')
        for (const mount of spec.mounts)
          if (mount.destination === '/sys') mount.options = ['nosuid', 'noexec', 'nodev', access]
      },
    })
    const { exitCode, stdout, stderr } = await t.run(bundle)
    expect(exitCode, stderr).toBe(0)
    const below = parseMountinfo(stdout).filter(({ point }) => point === '/sys' || point.startsWith('/sys/'))
    expect(below[0]).toMatchObject({ point: '/sys', type: 'sysfs' })
    expect(below.length).toBeGreaterThan(1)
    if (access === 'ro') for (const { options } of below) expect(options).toContain('ro')
  })

  it("is one of the container's own with a network namespace", async () => {
    const bundle = await mapped({ args: ['ls', '/sys/class/net'], spec: (spec) => mapIds(spec) })
    expect((await t.run(bundle)).stdout.trim().split('\n')).toEqual(['lo'])
  })
})

it('debug plan prints the mounts that create makes without a cgroup namespace', async () => {
  const spec = (spec: Spec): void => {
    withoutNamespace(spec, 'cgroup')
    bindSys(spec)
  }
  const { path } = await t.bundle({ spec })
  const { stdout } = await t.ok(['debug', 'plan', '--steps', path])
  expect(stdout).toMatch(/attach the container's \S*\s*cgroup to (mounts|\/sys\/fs\/cgroup)/)
  expect(stdout).not.toMatch(/mount cgroup2? on/)
})
