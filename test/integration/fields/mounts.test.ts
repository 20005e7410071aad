import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import type { Mount, Spec } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** A directory of the host with `file` in it. */
function source(): string {
  const path = t.hostDirectory('source-')
  writeFileSync(`${path}/file`, 'of the host')
  return path
}

/** Adds mounts, the rootfs writable. */
const withMounts =
  (...mounts: Mount[]) =>
  (spec: Spec): void => {
    spec.root.readonly = false
    spec.mounts.push(...mounts)
  }

describe('bind mounts', () => {
  it.each([
    [['bind'], 'bind'],
    [['rbind', 'rw'], 'bind'],
    [['bind'], ''],
    [['rbind'], 'none'],
  ])('options %j of type %j show the directory, writable', async (options, type) => {
    const path = source()
    const result = await t.run({
      args: ['sh', '-c', 'cat /mnt/file; echo back > /mnt/written'],
      spec: withMounts({ destination: '/mnt', source: path, options, ...(type === '' ? {} : { type }) }),
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'of the host' })
    expect(t.read(`${path}/written`)).toBe('back\n')
  })

  it('ro is read-only', async () => {
    const path = source()
    const result = await t.run({
      args: ['sh', '-c', 'cat /mnt/file; echo x > /mnt/file'],
      spec: withMounts({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', 'ro'] }),
    })
    expect(result).toMatchObject({ exitCode: 1, stdout: 'of the host' })
    expect(result.stderr).toMatch(/Read-only file system/)
    expect(t.read(`${path}/file`)).toBe('of the host')
  })

  it('nosuid, nodev and noexec are set', async () => {
    const report = await t.probe({
      spec: withMounts({
        destination: '/mnt',
        type: 'bind',
        source: source(),
        options: ['bind', 'nosuid', 'nodev', 'noexec'],
      }),
    })
    expect(mountOn(report, '/mnt')?.options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev', 'noexec']))
  })

  it('a file is mounted on a file that is made for it', async () => {
    const path = source()
    const result = await t.run({
      args: ['cat', '/etc/deep/er/config'],
      spec: withMounts({ destination: '/etc/deep/er/config', type: 'bind', source: `${path}/file`, options: ['bind'] }),
    })
    expect(result.stdout).toBe('of the host')
  })

  it('a file is mounted over a file', async () => {
    const path = source()
    const result = await t.run({
      args: ['cat', '/etc/passwd'],
      spec: withMounts({ destination: '/etc/passwd', type: 'bind', source: `${path}/file`, options: ['bind', 'ro'] }),
    })
    expect(result.stdout).toBe('of the host')
  })

  it('rbind brings the mounts below, bind does not', async () => {
    const path = source()
    mkdirSync(`${path}/below`)
    execFileSync('mount', ['-t', 'tmpfs', 'below', `${path}/below`])
    t.defer(() => void execFileSync('umount', [`${path}/below`]))
    writeFileSync(`${path}/below/deep`, 'deep')
    const look = (option: string) =>
      t.run({
        args: ['ls', '/mnt/below'],
        spec: withMounts({ destination: '/mnt', type: 'bind', source: path, options: [option] }),
      })
    expect((await look('rbind')).stdout).toBe('deep\n')
    expect((await look('bind')).stdout).toBe('')
  })

  it('nested destinations are mounted in the order of the spec', async () => {
    const [outer, inner] = [source(), source()]
    writeFileSync(`${inner}/file`, 'inner')
    const result = await t.run({
      args: ['cat', '/a/file', '/a/b/c/file'],
      spec: withMounts(
        { destination: '/a', type: 'bind', source: outer, options: ['bind'] },
        { destination: '/a/b/c', type: 'bind', source: inner, options: ['bind'] },
      ),
    })
    expect(result.stdout).toBe('of the hostinner')
  })

  it('a later mount covers an earlier one on the same destination', async () => {
    const [first, second] = [source(), source()]
    writeFileSync(`${second}/file`, 'second')
    const result = await t.run({
      args: ['cat', '/mnt/file'],
      spec: withMounts(
        { destination: '/mnt', type: 'bind', source: first, options: ['bind'] },
        { destination: '/mnt', type: 'bind', source: second, options: ['bind'] },
      ),
    })
    expect(result.stdout).toBe('second')
  })

  it('a source with spaces, quotes, backslashes and unicode', async () => {
    const path = `${t.hostDirectory()}/a b\t"c" \\040 漢字`
    mkdirSync(path)
    writeFileSync(`${path}/file`, 'found')
    const result = await t.run({
      args: ['cat', '/with space/\\ü/file'],
      spec: withMounts({ destination: '/with space/\\ü', type: 'bind', source: path, options: ['bind'] }),
    })
    expect(result.stdout).toBe('found')
  })

  it('a relative source is below the bundle', async () => {
    const bundle = await t.bundle({
      args: ['cat', '/mnt/file'],
      spec: withMounts({ destination: '/mnt', type: 'bind', source: 'beside', options: ['bind'] }),
    })
    mkdirSync(`${bundle.path}/beside`)
    writeFileSync(`${bundle.path}/beside/file`, 'beside')
    expect((await t.run(bundle)).stdout).toBe('beside')
  })

  it('a missing source fails and is named', async () => {
    const result = await t.run({
      spec: withMounts({ destination: '/mnt', type: 'bind', source: '/no/such/source', options: ['bind'] }),
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/\/no\/such\/source/)
    expect(result.stderr).toMatch(/no such file or directory/i)
    t.expectNothingLeft()
  })

  it('no mount of a container appears on the host, and unmounting inside leaves the host alone', async () => {
    const path = source()
    mkdirSync(`${path}/below`)
    execFileSync('mount', ['-t', 'tmpfs', 'below', `${path}/below`])
    execFileSync('mount', ['--make-rshared', `${path}/below`])
    t.defer(() => void execFileSync('umount', [`${path}/below`]))
    const mountsOfTest = () =>
      t
        .read('/proc/self/mountinfo')
        .split('\n')
        .filter((line) => line.includes(t.directory))
    const before = mountsOfTest()
    expect(before).toHaveLength(1)
    const sets = ['CAP_SYS_ADMIN']
    const result = await t.run({
      args: [
        'sh',
        '-c',
        'mount -t tmpfs inner /mnt/below && umount /mnt/below && umount /mnt/below; mount -t tmpfs more /mnt',
      ],
      process: { capabilities: { bounding: sets, effective: sets, permitted: sets } },
      spec: withMounts({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', 'rprivate'] }),
    })
    expect(result.exitCode).toBe(0)
    expect(mountsOfTest()).toEqual(before)
  })

  it('rslave lets later mounts of the host in', async () => {
    const path = source()
    execFileSync('mount', ['-t', 'tmpfs', 'shared', path])
    execFileSync('mount', ['--make-shared', path])
    t.defer(() => void execFileSync('umount', ['-R', path]))
    const { id } = await t.running({
      spec: (spec) => {
        spec.linux.rootfsPropagation = 'rslave'
        spec.mounts.push({ destination: '/tmp', type: 'bind', source: path, options: ['rbind', 'rslave'] })
      },
    })
    mkdirSync(`${path}/late`)
    execFileSync('mount', ['-t', 'tmpfs', 'late', `${path}/late`])
    writeFileSync(`${path}/late/file`, 'late')
    expect((await t.ok(['exec', id, 'cat', '/tmp/late/file'])).stdout).toBe('late')
  })
})

describe('linux.rootfsPropagation', () => {
  it.each([
    ['private', /^$/],
    ['rprivate', /^$/],
    ['slave', /^(master:\d+)?$/],
    ['rslave', /^(master:\d+)?$/],
  ])('%s', async (rootfsPropagation, expected) => {
    const report = await t.probe({
      spec: (spec) => {
        spec.linux.rootfsPropagation = rootfsPropagation
      },
    })
    expect(mountOn(report, '/')?.propagation.join()).toMatch(expected)
  })
})

describe('file systems', () => {
  it('tmpfs with mode, size and flags', async () => {
    const report = await t.probe({
      spec: withMounts({
        destination: '/scratch',
        type: 'tmpfs',
        source: 'scratch',
        options: ['nosuid', 'nodev', 'noexec', 'mode=1770', 'size=1m', 'uid=5', 'gid=6'],
      }),
    })
    const mount = mountOn(report, '/scratch')
    expect(mount).toMatchObject({ type: 'tmpfs', source: 'scratch' })
    expect(mount?.options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev', 'noexec']))
    expect(mount?.superOptions).toEqual(expect.arrayContaining(['size=1024k', 'mode=1770', 'uid=5', 'gid=6']))
  })

  it('the size of a tmpfs holds', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'dd if=/dev/zero of=/scratch/file bs=1k count=2000'],
      spec: withMounts({ destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] }),
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/No space left on device/)
  })

  it('the mounts of the default spec', async () => {
    const report = await t.probe()
    const types = ['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/sys'].map(
      (point) => mountOn(report, point)?.type,
    )
    expect(types).toEqual(['proc', 'tmpfs', 'devpts', 'tmpfs', 'mqueue', 'sysfs'])
    expect(mountOn(report, '/dev')).toMatchObject({ options: expect.arrayContaining(['rw', 'nosuid']) })
    expect(mountOn(report, '/dev')?.superOptions).toEqual(expect.arrayContaining(['size=65536k', 'mode=755']))
    expect(mountOn(report, '/dev/pts')?.superOptions).toEqual(
      expect.arrayContaining(['gid=5', 'mode=620', 'ptmxmode=666']),
    )
    expect(mountOn(report, '/dev/shm')).toMatchObject({
      options: expect.arrayContaining(['nosuid', 'noexec', 'nodev']),
    })
    expect(mountOn(report, '/sys')).toMatchObject({
      options: expect.arrayContaining(['ro', 'nosuid', 'noexec', 'nodev']),
    })
  })

  it('a pty of the container is its own: /dev/pts begins empty', async () => {
    expect((await t.run({ args: ['ls', '/dev/pts'] })).stdout).toBe('ptmx\n')
  })

  const overlay = (...options: string[]): Mount => ({
    destination: '/mnt',
    type: 'overlay',
    source: 'overlay',
    options,
  })

  it('an overlay shows the layers of the host, and what is written goes to the upper one', async () => {
    const [lower, upper, work] = [source(), t.hostDirectory('upper-'), t.hostDirectory('work-')]
    const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`]
    const result = await t.run({
      args: ['sh', '-c', 'cat /mnt/file; echo new > /mnt/file'],
      spec: withMounts(overlay(...options)),
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'of the host', stderr: '' })
    expect([t.read(`${lower}/file`), t.read(`${upper}/file`)]).toEqual(['of the host', 'new\n'])
  })

  it('an overlay of two read-only layers with long names', async () => {
    const layers = ['one', 'other'].map((name) => {
      const path = join(t.hostDirectory('layer-'), 'long'.repeat(50))
      mkdirSync(path)
      writeFileSync(`${path}/${name}`, name)
      return path
    })
    const report = await t.probe({ spec: withMounts(overlay('ro', 'nosuid', `lowerdir=${layers.join(':')}`)) })
    expect(mountOn(report, '/mnt')).toMatchObject({ type: 'overlay', options: ['ro', 'nosuid', 'relatime'] })
    const listed = await t.run({
      args: ['sh', '-c', 'ls /mnt; touch /mnt/file'],
      spec: withMounts(overlay('ro', `lowerdir=${layers.join(':')}`)),
    })
    expect(listed).toMatchObject({ exitCode: 1, stdout: 'one\nother\n' })
    expect(listed.stderr).toContain('Read-only file system')
  })

  it('an overlay whose layer is missing fails and is named', async () => {
    const result = await t.run({ spec: withMounts(overlay('lowerdir=/no/such/layer')) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/overlay.*no such file or directory/)
  })

  it('an unknown file system fails and is named', async () => {
    const result = await t.run({ spec: withMounts({ destination: '/mnt', type: 'nosuchfs', source: 'x' }) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/nosuchfs|\/mnt/)
    t.expectNothingLeft()
  })
})

describe('a destination behind a link of the image to what is not there yet', () => {
  it.each([
    ['absolute', '/made/there'],
    ['relative', '../made/there'],
    ['through another link', '/second/there'],
  ])('is made where the link leads (%s)', async (_way, target) => {
    const bundle = await t.bundle({
      args: ['sh', '-c', 'cat /made/there/dir/file /etc/lead/dir/file; stat -c %F /etc/lead'],
      spec: withMounts({ destination: '/etc/lead/dir', type: 'bind', source: source(), options: ['bind'] }),
    })
    mkdirSync(`${bundle.rootfs}/etc`, { recursive: true })
    symlinkSync(target, `${bundle.rootfs}/etc/lead`)
    symlinkSync('made', `${bundle.rootfs}/second`)
    const result = await t.run(bundle)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'of the hostof the hostsymbolic link\n' })
  })

  it('is refused when links lead in a circle', async () => {
    const bundle = await t.bundle({
      spec: withMounts({ destination: '/circle/file', type: 'bind', source: source(), options: ['bind'] }),
    })
    symlinkSync('other', `${bundle.rootfs}/circle`)
    symlinkSync('circle', `${bundle.rootfs}/other`)
    const result = await t.run(bundle)
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/too many (levels of )?symbolic links|circle/)
    t.expectNothingLeft()
  })
})

describe('hostile destinations', () => {
  it('an absolute link stays inside the rootfs', async () => {
    const [outside, path] = [t.hostDirectory('outside-'), source()]
    const bundle = await t.bundle({
      args: ['cat', `${outside}/new/file`],
      spec: withMounts({ destination: '/evil/new', type: 'bind', source: path, options: ['bind'] }),
    })
    symlinkSync(outside, `${bundle.rootfs}/evil`)
    const result = await t.run(bundle)
    if (result.exitCode === 0) expect(result.stdout).toBe('of the host')
    expect(listTree(outside)).toEqual([])
  })

  it('a relative link out of the rootfs stays inside', async () => {
    const [outside, path] = [t.hostDirectory('outside-'), source()]
    const bundle = await t.bundle({
      spec: withMounts({ destination: '/evil/new', type: 'bind', source: path, options: ['bind'] }),
    })
    symlinkSync(`../../../../../../../..${outside}`, `${bundle.rootfs}/evil`)
    await t.run(bundle)
    expect(listTree(outside)).toEqual([])
  })

  it('a destination with .. stays inside', async () => {
    const path = source()
    await t.run({
      spec: withMounts({
        destination: `/../../../..${t.directory}/escaped`,
        type: 'bind',
        source: path,
        options: ['bind'],
      }),
    })
    expect(existsSync(`${t.directory}/escaped`)).toBe(false)
  })

  it.each(['/proc', '/proc/self'])('a tmpfs on %s is refused (CVE-2019-19921)', async (destination) => {
    const result = await t.run({
      spec: (spec) => {
        if (destination === '/proc') spec.mounts = spec.mounts.filter((mount) => mount.destination !== '/proc')
        spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' })
      },
    })
    expect(result.exitCode).toBe(1)
    t.expectNothingLeft()
  })

  it.each([
    ['bind', ['bind']],
    ['none', ['bind']],
    ['', ['rbind', 'ro']],
    ['proc', ['bind']],
  ])('a bind mount over /proc, of type "%s" with %j, is refused', async (type, options) => {
    const result = await t.run({ spec: withMounts({ destination: '/proc', type, source: source(), options }) })
    expect(result.exitCode).toBe(1)
    t.expectNothingLeft()
  })

  it.each([
    ['bind', ['rbind']],
    ['none', ['rbind']],
    ['', ['rbind', 'nosuid']],
    [undefined, ['rbind']],
  ])("the host's /proc may be bound, by type %j and options %j", async (type, options) => {
    const result = await t.run({
      args: ['cat', '/proc/self/mountinfo'],
      spec: (spec) => {
        spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/proc')
        spec.mounts.unshift({ destination: '/proc', source: '/proc', options, ...(type === undefined ? {} : { type }) })
        spec.linux.namespaces = spec.linux.namespaces?.filter((namespace) => namespace.type !== 'pid')
      },
    })
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stdout).toContain(' /proc ')
  })
})
