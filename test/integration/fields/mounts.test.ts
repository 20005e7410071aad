import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { capabilitySets, withMounts } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** A directory of the host with `file` in it. */
function source(): string {
  const path = t.hostDirectory('source-')
  writeFileSync(`${path}/file`, 'of the host')
  return path
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
    const result = await t.run({
      args: [
        'sh',
        '-c',
        'mount -t tmpfs inner /mnt/below && umount /mnt/below && umount /mnt/below; mount -t tmpfs more /mnt',
      ],
      process: { capabilities: capabilitySets('CAP_SYS_ADMIN') },
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
