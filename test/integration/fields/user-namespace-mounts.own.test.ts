/** Idmapped mounts and filesystems made of files of the host, in containers that are in user namespaces. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { idMap, mountOf, useIdMaps } from '../../support/id-maps.ts'
import { mountOn } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { type Mount, type Spec, setNamespace } from '../../support/spec.ts'
import { COUNT, FIRST, mapIds, mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()
const { source, sourceWithMountBelow, show } = useIdMaps(t)

const owner = (path: string): string => {
  const { uid, gid } = statSync(path)
  return `${uid}:${gid}`
}

/** An idmapped bind without mappings of its own: those of the container count. */
const inNamespace = (from: string, options = ['bind', 'idmap']): Mount => ({
  destination: '/mnt',
  type: 'bind',
  source: from,
  options,
})
const { mapped } = mappedBundles(t)

/** What a script prints, line by line, in a user namespace that `enter` asks for. */
async function lines(
  script: string,
  mounts: Mount[],
  { enter, ...options }: BundleOptions & { enter?: ((spec: Spec) => void) | undefined } = {},
): Promise<string[]> {
  const args = ['sh', '-c', script]
  const spec = ({ mounts: list }: Spec): void => void list.push(...mounts)
  const result = await t.run(await mapped({ args, spec, ...options }, enter))
  expect(result, result.stderr).toMatchObject({ exitCode: 0 })
  return result.stdout.trim().split('\n')
}

/** A process in a user namespace with these lines of uid_map and gid_map; its pid. */
async function holder(...map: string[]): Promise<number> {
  const child = spawn('unshare', ['--user', 'sleep', '1000'], { stdio: 'ignore' })
  t.defer(() => void child.kill('SIGKILL'))
  await waitFor(() => t.read(`/proc/${child.pid}/comm`) === 'sleep\n')
  for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${file}`, map.join('\n'))
  return child.pid ?? 0
}

describe.each([
  ['a new user namespace', async () => undefined],
  [
    'a user namespace by path, without mappings in config.json',
    async () => {
      const pid = await holder(`0 ${FIRST} ${COUNT}`)
      return (spec: Spec) => setNamespace(spec, 'user', `/proc/${pid}/ns/user`)
    },
  ],
  [
    'a user namespace by path, with its mappings in config.json',
    async () => {
      const pid = await holder(`0 ${FIRST} ${COUNT}`)
      return (spec: Spec) => {
        mapIds(spec)
        setNamespace(spec, 'user', `/proc/${pid}/ns/user`)
      }
    },
  ],
])('idmap without mappings in %s', (_name, entering) => {
  it("shows the host's ids as the container's, and gives what is made inside to the host's", async () => {
    const path = source({ root: [0, 0], user: [7, 8], high: [COUNT - 1, 0], beyond: [COUNT, COUNT] })
    const made = 'touch /mnt/new && mkdir /mnt/directory && ln -s x /mnt/link && chown 7:8 /mnt/directory'
    const files = ['root', 'user', 'high', 'beyond'].map((name) => `/mnt/${name}`)
    const capabilities = { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] }
    const found = await lines(`${show(...files)}; ${made}; ${show('/mnt/new')}`, [inNamespace(path)], {
      enter: await entering(),
      process: { capabilities },
    })
    expect(found).toEqual(['0:0', '7:8', `${COUNT - 1}:0`, '65534:65534', '0:0'])
    expect(['new', 'directory'].map((name) => owner(`${path}/${name}`))).toEqual(['0:0', '7:8'])
    expect(owner(`${path}/root`)).toBe('0:0')
  })

  it('counts for another user of the container, and for exec', async () => {
    const path = source()
    chmodSync(path, 0o777)
    const enter = await entering()
    const options = {
      args: ['sh', '-c', 'touch /mnt/own; sleep 1000'],
      process: { user: { uid: 1000, gid: 1001 } },
      spec: ({ mounts }: Spec) => void mounts.push(inNamespace(path)),
    }
    const { id } = await t.running(await mapped(options, enter))
    await t.ok(['exec', '--user', '5:6', id, 'touch', '/mnt/other'])
    await waitFor(() => statSync(`${path}/own`, { throwIfNoEntry: false }))
    expect([owner(`${path}/own`), owner(`${path}/other`)]).toEqual(['1000:1001', '5:6'])
  })
})

describe('a mount of a container in a user namespace', () => {
  it.each([
    ['idmap, and not what is mounted below', ['rbind', 'idmap'], ['0:0', '65534:65534']],
    ['ridmap, and what is mounted below', ['rbind', 'ridmap'], ['0:0', '0:0']],
    ['ridmap and rro', ['rbind', 'ridmap', 'rro'], ['0:0', '0:0']],
    ['ridmap and rslave', ['rbind', 'ridmap', 'rslave'], ['0:0', '0:0']],
    ["no idmap: files of the host are nobody's", ['rbind'], ['65534:65534', '65534:65534']],
  ])('with %s', async (_name, options, expected) => {
    expect(
      await lines(show('/mnt/file', '/mnt/below/file'), [inNamespace(sourceWithMountBelow(0, 0), options)]),
    ).toEqual(expected)
  })

  it('has its own mappings: the ids on disk, and those of the host that the container maps', async () => {
    const path = source({ root: [0, 0], first: [100, 200], beyond: [50, 50] })
    chmodSync(path, 0o777)
    const mount = mountOf(path, '/mnt', {
      uidMappings: [idMap(0, FIRST + 50), idMap(100, FIRST, 10)],
      gidMappings: [idMap(0, FIRST + 51), idMap(200, FIRST, 10)],
    })
    const script = `${show('/mnt/root', '/mnt/first', '/mnt/beyond')}; touch /mnt/new`
    expect(await lines(script, [mount])).toEqual(['50:51', '0:0', '65534:65534'])
    expect(owner(`${path}/new`)).toBe('100:200')
  })

  it('keeps several apart, of directories and files', async () => {
    const path = source({ file: [0, 0], mapped: [FIRST, FIRST] })
    const mounts: Mount[] = [
      inNamespace(path),
      { destination: '/plain', type: 'bind', source: path, options: ['bind'] },
      { destination: '/etc/file', type: 'bind', source: `${path}/file`, options: ['bind', 'idmap', 'ro'] },
    ]
    const files = ['/mnt/file', '/mnt/mapped', '/plain/file', '/plain/mapped', '/etc/file']
    expect(await lines(show(...files), mounts)).toEqual(['0:0', '65534:65534', '65534:65534', '0:0', '0:0'])
  })

  it('that is read-only stays so for a root with CAP_SYS_ADMIN', async () => {
    const path = source()
    chmodSync(path, 0o777)
    const capabilities = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] }
    const script = 'mount -o remount,bind,rw /mnt 2>/dev/null; touch /mnt/file 2>/dev/null || echo refused'
    const mount = inNamespace(path, ['bind', 'idmap', 'ro'])
    expect(await lines(script, [mount], { process: { capabilities } })).toEqual(['refused'])
    expect(() => statSync(`${path}/file`)).toThrow('ENOENT')
  })

  it('of users other than groups, in several ranges', async () => {
    const path = source({ root: [0, 0], user: [1000, 5], gap: [20, 0] })
    const enter = (spec: Spec): void =>
      mapIds(spec, [idMap(0, FIRST, 10), idMap(1000, 300_000)], [idMap(0, FIRST, 100)])
    const script = show('/mnt/root', '/mnt/user', '/mnt/gap')
    expect(await lines(script, [inNamespace(path)], { enter })).toEqual(['0:0', '1000:5', '65534:0'])
  })

  it('that cannot be idmapped is named', async () => {
    const result = await t.run(await mapped({ spec: ({ mounts }) => void mounts.unshift(inNamespace('/proc/sys')) }))
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/^mounts\[0\]\.source: idmap \/proc\/sys: invalid argument/)
    t.expectNothingLeft()
  })
})

describe('a pod with hostUsers: false', () => {
  /** What containerd makes of it: the sandbox's namespaces by path, volumes idmapped with mappings of their own. */
  it('has its volumes idmapped, and its rootfs as it is', async () => {
    const range = [idMap(0, FIRST, COUNT)]
    const volume = source({ 'token/': [0, 0], secret: [0, 1000] })
    const sandbox = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const kinds = { user: 'user', network: 'net', ipc: 'ipc', uts: 'uts' }
    const enter = (spec: Spec): void => {
      mapIds(spec)
      delete spec.hostname
      for (const [type, kind] of Object.entries(kinds)) setNamespace(spec, type, `/proc/${sandbox.pid}/ns/${kind}`)
    }
    const file = `${t.hostDirectory()}/hosts`
    writeFileSync(file, '127.0.0.1 localhost\n')
    const mapping = { uidMappings: range, gidMappings: range }
    const mounts: Mount[] = [
      {
        destination: '/var/data',
        type: 'bind',
        source: volume,
        options: ['rbind', 'rprivate', 'rw', 'ridmap'],
        ...mapping,
      },
      { destination: '/etc/hosts', type: 'bind', source: file, options: ['rbind', 'rprivate', 'rw'], ...mapping },
    ]
    const script = `${show('/', '/etc/passwd', '/var/data', '/var/data/secret', '/etc/hosts')}; echo x > /var/data/new; cat /etc/hosts; touch /in-image`
    const spec = (spec: Spec): void => {
      spec.root.readonly = false
      spec.mounts.push(...mounts)
    }
    const bundle = await mapped({ args: ['sh', '-c', script], spec }, enter)
    const result = await t.run(bundle)
    expect(result.stdout.trim().split('\n'), result.stderr).toEqual([
      '0:0',
      '0:0',
      '0:0',
      '0:1000',
      '0:0',
      '127.0.0.1 localhost',
    ])
    expect(owner(`${volume}/new`)).toBe('0:0')
    expect(owner(`${bundle.rootfs}/in-image`)).toBe(`${FIRST}:${FIRST}`)
  })
})

describe('filesystems made of files of the host', () => {
  it('an overlay: owners are those of the layers, and the upper one is written as the user of the container', async () => {
    const [lower, upper, work] = [
      source({ root: [0, 0], mapped: [FIRST, FIRST] }),
      t.hostDirectory(),
      t.hostDirectory(),
    ]
    for (const path of [lower, upper, work]) chownSync(path, FIRST, FIRST)
    const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`]
    const mount = { destination: '/mnt', type: 'overlay', source: 'overlay', options }
    const script = `${show('/mnt/root', '/mnt/mapped')}; echo more >> /mnt/mapped; touch /mnt/new`
    expect(await lines(script, [mount])).toEqual(['65534:65534', '0:0'])
    expect([owner(`${upper}/mapped`), owner(`${upper}/new`)]).toEqual([`${FIRST}:${FIRST}`, `${FIRST}:${FIRST}`])
    expect(t.read(`${lower}/mapped`)).toBe('text\n')
  })

  it('a read-only overlay stays so for a root with CAP_SYS_ADMIN', async () => {
    const [one, other] = [source({ a: [0, 0] }), source({ b: [0, 0] })]
    const capabilities = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] }
    const mount = {
      destination: '/mnt',
      type: 'overlay',
      source: 'overlay',
      options: ['ro', 'nodev', `lowerdir=${one}:${other}`],
    }
    const script = 'ls /mnt; mount -o remount,bind,rw /mnt 2>/dev/null || echo refused'
    expect(await lines(script, [mount], { process: { capabilities } })).toEqual(['a', 'b', 'refused'])
  })

  it('a block device', async () => {
    const image = `${t.hostDirectory()}/image`
    execFileSync('truncate', ['-s', '4M', image])
    execFileSync('/sbin/mkfs.ext4', ['-q', '-E', `root_owner=${FIRST}:${FIRST}`, image])
    const device = execFileSync('/sbin/losetup', ['--show', '-f', image], { encoding: 'utf8' }).trim()
    t.defer(() => void execFileSync('/sbin/losetup', ['-d', device]))
    const mount = { destination: '/mnt', type: 'ext4', source: device, options: ['nosuid'] }
    const spec = ({ mounts }: Spec): void => void mounts.push(mount)
    const script = `${show('/mnt')}; touch /mnt/file && ${show('/mnt/file')}`
    expect(await lines(script, [mount])).toEqual(['0:0', '0:0'])
    const report = await t.probe(await mapped({ args: ['/probe'], spec }))
    expect(mountOn(report, '/mnt')).toMatchObject({ type: 'ext4', options: expect.arrayContaining(['nosuid']) })
  })

  it('what is not there is named', async () => {
    const mount = { destination: '/mnt', type: 'overlay', source: 'overlay', options: ['lowerdir=/no/such/layer'] }
    const result = await t.run(await mapped({ spec: ({ mounts }) => void mounts.unshift(mount) }))
    expect(messageOf(result)).toMatch(/^mounts\[0\]: mount overlay for \/mnt: .*no such file or directory/)
    t.expectNothingLeft()
  })
})
