/** Binds whose sources and destinations lie below the rootfs, as the host names it: what earlier mounts have brought there. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Bundle, BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { isRunc } from '../../support/runtime.ts'
import type { Mount } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'

requires('root')
const t = useContainers()
const { mapped } = mappedBundles(t)

/** A bundle whose list of mounts is made of the path of its rootfs. */
async function bundleWith(
  list: (rootfs: string) => Mount[],
  { make = t.bundle.bind(t), ...options }: BundleOptions & { make?: (options: BundleOptions) => Promise<Bundle> },
): Promise<Bundle> {
  const bundle = await make(options)
  const path = `${bundle.path}/config.json`
  const spec = JSON.parse(t.read(path))
  spec.root.readonly = false
  spec.mounts.push(...list(bundle.rootfs))
  writeFileSync(path, JSON.stringify(spec))
  return bundle
}

const bind = (source: string, destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['bind', ...options],
})

/** a/x, b/y and c/z, each with a file that says so, and links to the three. */
function directories(): string {
  const path = t.hostDirectory()
  for (const name of ['a/x', 'b/y', 'c/z']) {
    mkdirSync(`${path}/${name}`, { recursive: true })
    writeFileSync(`${path}/${name}/file`, name)
    symlinkSync(name.slice(0, 1), `${path}/sym-${name.slice(0, 1)}`)
  }
  return path
}

describe.each([
  ['the host', undefined],
  ['a new user namespace', mapped],
])('in %s', (_, make) => {
  // runc 1.1 opens all sources on the host before it enters a user namespace.
  if (make) requires('own-runtime')

  // After "mount order, container bind-mount source" of runc's suite.
  it('a tree of binds is bound into itself and onto another place', async () => {
    const from = directories()
    const list = (rootfs: string): Mount[] => [
      bind(`${from}/a`, '/mnt'),
      bind(`${from}/sym-b`, '/mnt/x'),
      bind(`${from}/c`, '/mnt/x/y'),
      bind(`${from}/sym-a`, '/mnt/x/y/z'),
      bind(`${rootfs}/mnt/x`, `${rootfs}/mnt/x/y/z/x`, 'rbind', 'rprivate'),
      bind(`${rootfs}/mnt/x/y`, `${rootfs}/mnt/x/y/z`, 'rbind', 'rprivate'),
      bind(`${rootfs}/mnt`, `${rootfs}/final`, 'rbind', 'rprivate'),
    ]
    const bundle = await bundleWith(list, { args: ['cat', '/final/x/y/z/z/x/y/z/x/file'], ...(make && { make }) })
    mkdirSync(`${bundle.rootfs}/final`)
    const result = await t.run(bundle)
    expect(result, result.stderr).toMatchObject({ exitCode: 0, stdout: 'a/x' })
  })

  it('a tmpfs is seen in two places, and one of them is read-only', async () => {
    const list = (rootfs: string): Mount[] => [
      { destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['mode=777'] },
      bind(`${rootfs}/scratch`, '/again', 'ro', 'nosuid'),
    ]
    const script =
      'echo text > /scratch/file; cat /again/file; echo more > /again/file || grep " /again " /proc/self/mountinfo'
    const { stdout } = await t.run(await bundleWith(list, { args: ['sh', '-c', script], ...(make && { make }) }))
    expect(stdout).toMatch(/^text\n.* ro,nosuid,relatime /)
  })

  it('a file of a volume is bound over one of the image', async () => {
    const from = directories()
    const list = (rootfs: string): Mount[] => [
      bind(`${from}/a`, '/mnt'),
      bind(`${rootfs}/mnt/x/file`, '/etc/copied'),
      bind(`${rootfs}/mnt/x/file`, '/etc/passwd'),
    ]
    const args = ['cat', '/etc/copied', '/etc/passwd']
    expect(await t.run(await bundleWith(list, { args, ...(make && { make }) }))).toMatchObject({ stdout: 'a/xa/x' })
  })
})

it("a source that no earlier mount provides is the host's", async () => {
  const list = (rootfs: string): Mount[] => [
    bind(`${rootfs}/etc`, '/first'),
    { destination: '/etc', type: 'tmpfs', source: 'tmpfs' },
  ]
  const { stdout } = await t.run(await bundleWith(list, { args: ['sh', '-c', 'ls /first | head -n 1; ls /etc'] }))
  expect(stdout.trim().split('\n')).toHaveLength(1)
})

describe('an idmapped bind of what an earlier mount provides', () => {
  requires('own-runtime')
  const mappings = [{ containerID: 0, hostID: 1000, size: 10 }]
  const list =
    (from: string) =>
    (rootfs: string): Mount[] => [
      bind(`${from}/a`, '/mnt'),
      { ...bind(`${rootfs}/mnt/x`, '/seen', 'rbind'), uidMappings: mappings, gidMappings: mappings },
    ]
  const args = ['stat', '-c', '%u:%g', '/seen/file']

  it('has the owners of its mappings', async () => {
    expect(await t.run(await bundleWith(list(directories()), { args }))).toMatchObject({ stdout: '1000:1000\n' })
  })

  it('is refused in a user namespace, whose root may not make one', async () => {
    const result = await t.run(await bundleWith(list(directories()), { args, make: mapped }))
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(
      /mounts\[\d+\]\.source: \S+ is what an earlier mount provides, which cannot be idmapped/,
    )
    t.expectNothingLeft()
  })
})

describe('links of the image in the way of a source', () => {
  it('lead nowhere but into the container', async () => {
    const outside = directories()
    const list = (rootfs: string): Mount[] => [
      { destination: '/scratch', type: 'tmpfs', source: 'tmpfs' },
      bind(`${outside}/b`, '/scratch/volume'),
      bind(`${rootfs}/scratch/volume/escape`, '/seen', 'rbind'),
    ]
    symlinkSync(`../../../../../..${outside}`, `${outside}/b/escape`)
    const before = listTree(outside)
    const bundle = await bundleWith(list, { args: ['ls', '/seen'] })
    const { exitCode, stdout } = await t.run(bundle)
    // runc 1.1 resolves a source on the host.
    if (!isRunc) expect([exitCode, stdout]).toEqual([1, ''])
    expect(listTree(outside)).toEqual(before)
    expect(readdirSync(outside)).not.toContain('new')
  })
})

describe('a dangling link that an earlier mount brings', () => {
  const show = (...paths: string[]) => ({ args: ['cat', ...paths] })
  const volume = (make: (path: string) => void): string => {
    const path = t.hostDirectory('volume-')
    make(path)
    return path
  }
  const file = (): string => {
    const path = `${t.hostDirectory()}/zone`
    writeFileSync(path, 'zone')
    return path
  }

  it.each([
    ['absolute', '/usr/share/zoneinfo/Mine', '/usr/share/zoneinfo/Mine'],
    ['relative', '../other/deep/Mine', '/other/deep/Mine'],
    ['relative, in the volume', 'sub/Mine', '/conf/sub/Mine'],
    ['beyond the root', '../../../../../../beyond/Mine', '/beyond/Mine'],
  ])('gets its target made below the root (%s)', async (_, target, at) => {
    const path = volume((at) => symlinkSync(target, `${at}/localtime`))
    const list = (): Mount[] => [bind(path, '/conf'), bind(file(), '/conf/localtime', 'ro')]
    const bundle = await bundleWith(list, show('/conf/localtime', at))
    expect(await t.run(bundle)).toMatchObject({ stdout: 'zonezone' })
    expect(execFileSync('readlink', [`${path}/localtime`], { encoding: 'utf8' })).toBe(`${target}\n`)
  })

  it('through a link of the image to a link of a second volume', async () => {
    const [first, second] = [
      volume((at) => symlinkSync('/two/link', `${at}/localtime`)),
      volume((at) => symlinkSync('/jump/Mine', `${at}/link`)),
    ]
    const list = (): Mount[] => [bind(first, '/one'), bind(second, '/two'), bind(file(), '/one/localtime')]
    const bundle = await bundleWith(list, show('/landed/here/Mine'))
    symlinkSync('/landed/here', `${bundle.rootfs}/jump`)
    expect(await t.run(bundle)).toMatchObject({ stdout: 'zone' })
  })

  it('for a directory and for a tmpfs', async () => {
    const path = volume((at) => {
      symlinkSync('/made/bind', `${at}/bind`)
      symlinkSync('/made/tmpfs', `${at}/tmpfs`)
    })
    const list = (): Mount[] => [
      bind(path, '/conf'),
      bind(directories(), '/conf/bind'),
      { destination: '/conf/tmpfs', type: 'tmpfs', source: 'tmpfs' },
    ]
    const bundle = await bundleWith(list, {
      args: ['sh', '-c', 'cat /made/bind/a/x/file; grep -c " /made/tmpfs " /proc/mounts'],
    })
    expect(await t.run(bundle)).toMatchObject({ stdout: 'a/x1\n' })
  })

  it('never outside, and not into /proc', async () => {
    const outside = t.hostDirectory('outside-')
    for (const target of [`${outside}/new`, '/proc/sys/new', '../proc/new']) {
      const path = volume((at) => symlinkSync(target, `${at}/link`))
      await t.run(await bundleWith(() => [bind(path, '/conf'), bind(file(), '/conf/link')], show('/conf/link')))
    }
    expect(listTree(outside)).toEqual([])
  })

  it('in a circle is refused', async () => {
    const path = volume((at) => {
      symlinkSync('other', `${at}/link`)
      symlinkSync('link', `${at}/other`)
    })
    const result = await t.run(
      await bundleWith(() => [bind(path, '/conf'), bind(file(), '/conf/link')], show('/conf/link')),
    )
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/too many (levels of )?symbolic links|link/)
  })
})
