import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { HookRecorder } from '../../support/hook-recorder.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'

// runc has the field since 1.3.
requires('root', 'own-runtime')
const t = useContainers()
const { mapped } = mappedBundles(t)

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' })
let pairs = 0

/** A veth pair of the host: [the end that is to move, the end that stays]. */
function veth(): [string, string] {
  const [end, other] = [`t${process.pid % 100_000}m${pairs}`, `t${process.pid % 100_000}s${pairs++}`]
  ip('link', 'add', end, 'type', 'veth', 'peer', 'name', other)
  t.defer(() => {
    if (ip('-o', 'link').includes(` ${other}@`)) ip('link', 'del', other)
  })
  return [end, other]
}

const withDevices =
  (netDevices: Record<string, { name?: string }>) =>
  (spec: Spec): void => {
    spec.linux.netDevices = netDevices
  }

/** `ip addr` in the network namespace of a process. */
const addresses = (pid: number, device: string): string =>
  execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', '-o', 'addr', 'show', 'dev', device], { encoding: 'utf8' })

describe('linux.netDevices', () => {
  it('moves, renames, keeps the permanent global addresses, and brings the device up', async () => {
    const [end, other] = veth()
    ip('addr', 'add', '192.0.2.7/24', 'brd', '192.0.2.255', 'dev', end)
    ip('addr', 'add', '192.0.2.8/32', 'peer', '198.51.100.1/32', 'dev', end)
    ip('addr', 'add', '2001:db8::7/64', 'dev', end)
    ip('addr', 'add', '192.0.2.9/24', 'valid_lft', '1000', 'preferred_lft', '1000', 'dev', end)
    ip('addr', 'add', '169.254.1.1/16', 'scope', 'link', 'dev', end)
    const { pid } = await t.running({ args: ['sleep', '1000'], spec: withDevices({ [end]: { name: 'data0' } }) })
    const found = addresses(pid, 'data0')
    expect(found).toMatch(/inet 192\.0\.2\.7\/24 brd 192\.0\.2\.255 scope global/)
    expect(found).toMatch(/inet 192\.0\.2\.8 peer 198\.51\.100\.1\/32 scope global/)
    expect(found).toMatch(/inet6 2001:db8::7\/64 scope global/)
    expect(found).not.toContain('192.0.2.9')
    expect(found).not.toContain('169.254.1.1')
    const link = execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', '-o', 'link', 'show', 'data0'], {
      encoding: 'utf8',
    })
    expect(link).toMatch(/<[^>]*\bMULTICAST\b[^>]*\bUP\b/)
    expect(ip('-o', 'link')).not.toContain(` ${end}@`)
    expect(ip('-o', 'link')).toContain(` ${other}@`)
  })

  it('works: the container and the host reach each other', async () => {
    const [end, other] = veth()
    ip('addr', 'add', '192.0.2.129/30', 'dev', end)
    ip('addr', 'add', '192.0.2.130/30', 'dev', other)
    ip('link', 'set', other, 'up')
    const result = await t.run({
      args: ['ping', '-c', '1', '-W', '5', '192.0.2.130'],
      process: { capabilities: { bounding: ['CAP_NET_RAW'], effective: ['CAP_NET_RAW'], permitted: ['CAP_NET_RAW'] } },
      spec: withDevices({ [end]: {} }),
    })
    expect(result.stdout).toContain('1 packets received')
  })

  it('several, without addresses, into a namespace that is given by path', async () => {
    const [[a], [b]] = [veth(), veth()]
    const first = await t.running()
    const { pid } = await t.running({
      args: ['sleep', '1000'],
      spec: (spec) => {
        setNamespace(spec, 'network', `/proc/${first.pid}/ns/net`)
        withDevices({ [a]: { name: 'x0' }, [b]: { name: 'x1' } })(spec)
      },
    })
    for (const device of ['x0', 'x1']) {
      expect(addresses(pid, device)).not.toMatch(/inet /)
      const link = execFileSync('nsenter', ['-t', String(first.pid), '-n', 'ip', '-o', 'link', 'show', device])
      expect(link.toString()).toMatch(/<[^>]*\bUP\b/)
    }
  })

  it('an index that is taken in the namespace does not matter', async () => {
    const [end] = veth()
    ip('addr', 'add', '192.0.2.77/24', 'dev', end)
    const index = /^\d+/.exec(ip('-o', 'link', 'show', end))?.[0] ?? ''
    const first = await t.running()
    const inside = ['-t', String(first.pid), '-n', 'ip', 'link', 'add', 'taken', 'index', index, 'type', 'bridge']
    execFileSync('nsenter', inside)
    const { pid } = await t.running({
      args: ['sleep', '1000'],
      spec: (spec) => {
        setNamespace(spec, 'network', `/proc/${first.pid}/ns/net`)
        withDevices({ [end]: { name: 'late0' } })(spec)
      },
    })
    expect(addresses(pid, 'late0')).toContain('192.0.2.77/24')
  })

  it('the steps stand in debug plan', async () => {
    const [end] = veth()
    ip('addr', 'add', '192.0.2.7/24', 'dev', end)
    const bundle = await t.bundle({ spec: withDevices({ [end]: { name: 'data0' } }) })
    const { stdout } = await t.ok(['debug', 'plan', '--steps', bundle.path])
    expect(stdout).toContain(`move ${end} to data0 for linux.netDevices`)
    expect(stdout).toContain('{RTM_NEWADDR, 192.0.2.7/24}')
    expect(ip('-o', 'link')).toContain(` ${end}@`)
  })

  it.each([
    ['a device that is not there', { nosuchdev0: {} }, /linux\.netDevices\.nosuchdev0: no such network device/],
    ['the loopback device', { lo: { name: 'lo1' } }, /move lo to lo1 for linux\.netDevices: .*invalid argument/],
    ['a long name', { lo: { name: 'sixteen-bytes-00' } }, /linux\.netDevices\.lo\.name: must be the name/],
    ['a pattern', { lo: { name: 'eth%d' } }, /linux\.netDevices\.lo\.name: must be the name/],
    ['a path', { '../x': {} }, /linux\.netDevices\["\.\.\/x"\]: must be the name/],
    ['one name for two', { lo: { name: 'a' }, b: { name: 'a' } }, /linux\.netDevices\.b: would be a in the container/],
  ])('%s is refused', async (_, netDevices, message) => {
    const result = await t.run({ spec: withDevices(netDevices as Record<string, { name?: string }>) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(message)
    t.expectNothingLeft()
  })

  it('a name that is taken in the container is refused before the device moves', async () => {
    const [end] = veth()
    const result = await t.run({ spec: withDevices({ [end]: { name: 'lo' } }) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(
      /^linux\.netDevices: the container has a network device lo already: choose another name$/m,
    )
    expect(ip('-o', 'link')).toContain(` ${end}@`)
  })

  it("is refused in the runtime's own network namespace", async () => {
    const [end] = veth()
    const result = await t.run({
      spec: (spec) => {
        shareWithHost(spec, 'network')
        withDevices({ [end]: {} })(spec)
      },
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/linux\.netDevices: needs a network namespace/)
    expect(ip('-o', 'link')).toContain(` ${end}@`)
  })
})

describe('linux.netDevices in a user namespace', () => {
  it('moves, renames, keeps addresses, and brings the device up, before the sysctls are set', async () => {
    const [end, other] = veth()
    ip('addr', 'add', '192.0.2.7/24', 'dev', end)
    const bundle = await mapped({
      args: ['sleep', '1000'],
      spec: (spec) => {
        withDevices({ [end]: { name: 'data0' } })(spec)
        spec.linux.sysctl = { 'net.ipv4.conf.data0.forwarding': '1' }
      },
    })
    const { id, pid } = await t.running(bundle)
    expect(addresses(pid, 'data0')).toContain('inet 192.0.2.7/24')
    expect(ip('-o', 'link')).not.toContain(` ${end}@`)
    expect(ip('-o', 'link')).toContain(` ${other}@`)
    expect((await t.ok(['exec', id, 'ip', '-o', 'link', 'show', 'data0'])).stdout).toMatch(/<[^>]*\bUP\b/)
    expect((await t.ok(['exec', id, 'cat', '/proc/sys/net/ipv4/conf/data0/forwarding'])).stdout).toBe('1\n')
  })

  it('is there for the hooks of create', async () => {
    const [end] = veth()
    const recorder = new HookRecorder(t.hostDirectory('hooks-'))
    const bundle = await mapped({
      args: ['sleep', '1000'],
      spec: (spec) => {
        withDevices({ [end]: { name: 'data0' } })(spec)
        const show = `cd ${recorder.directory}; tail -n +3 /proc/self/net/dev | cut -d: -f1 | tr -d ' ' > $1.ns`
        spec.hooks = { createContainer: [recorder.shell(show, 'createContainer')] }
      },
    })
    await t.running(bundle)
    expect(recorder.lines('createContainer.ns').sort()).toContain('data0')
  })

  it('goes into a namespace of the host that is given by path', async () => {
    const [end] = veth()
    ip('addr', 'add', '192.0.2.7/24', 'dev', end)
    const first = await t.running()
    const bundle = await mapped({
      args: ['sleep', '1000'],
      spec: (spec) => {
        setNamespace(spec, 'network', `/proc/${first.pid}/ns/net`)
        // A new sysfs shows the network namespace, and the kernel keeps it from who has no power over that.
        spec.mounts = spec.mounts.filter(({ type }) => type !== 'sysfs')
        withDevices({ [end]: { name: 'x0' } })(spec)
      },
    })
    await t.running(bundle)
    expect(addresses(first.pid, 'x0')).toContain('inet 192.0.2.7/24')
  })

  it("goes into another container's, which is in the same user namespace", async () => {
    const [end] = veth()
    const first = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const second = await mapped({
      args: ['sleep', '1000'],
      spec: (spec) => {
        for (const type of ['network', 'user'] as const)
          setNamespace(spec, type, `/proc/${first.pid}/ns/${type === 'network' ? 'net' : 'user'}`)
        withDevices({ [end]: { name: 'x0' } })(spec)
      },
    })
    await t.running(second)
    expect((await t.ok(['exec', first.id, 'ip', '-o', 'link', 'show', 'x0'])).stdout).toMatch(/<[^>]*\bUP\b/)
  })

  it('a name that is taken in the container is refused before the device moves', async () => {
    const [end] = veth()
    const result = await t.run(await mapped({ spec: withDevices({ [end]: { name: 'lo' } }) }))
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(
      /^linux\.netDevices: the container has a network device lo already: choose another name$/m,
    )
    expect(ip('-o', 'link')).toContain(` ${end}@`)
    t.expectNothingLeft()
  })

  it('a device that cannot be moved is named', async () => {
    const result = await t.run(await mapped({ spec: withDevices({ lo: { name: 'lo1' } }) }))
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/^move lo to lo1 for linux\.netDevices: .*invalid argument$/m)
    t.expectNothingLeft()
  })

  it('the steps stand in debug plan, apart from those of init', async () => {
    const [end] = veth()
    const { path } = await mapped({ spec: withDevices({ [end]: { name: 'data0' } }) })
    const { stdout } = await t.ok(['debug', 'plan', '--json', path])
    const words = (steps: readonly { what: string }[]): string[] => steps.map(({ what }) => what)
    const { container, netDevices } = JSON.parse(stdout)
    expect(words(container)).toContain('wait for create')
    expect(words(container).join()).not.toContain('linux.netDevices')
    expect(words(netDevices)).toContain(`move ${end} to data0 for linux.netDevices`)
    expect((await t.ok(['debug', 'plan', '--steps', path])).stdout).toContain('# network device plan')
    expect(ip('-o', 'link')).toContain(` ${end}@`)
  })
})
