import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn, parseMountinfo } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { withMounts } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('remount', () => {
  it('changes the flags and the data of a filesystem that the list has made', async () => {
    const report = await t.probe({
      spec: withMounts(
        { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
        { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'size=2m', 'nosuid', 'ro'] },
      ),
    })
    const mount = mountOn(report, '/mnt')
    expect(mount?.options).toEqual(expect.arrayContaining(['ro', 'nosuid']))
    expect(mount?.superOptions).toEqual(expect.arrayContaining(['ro', 'size=2048k']))
  })

  it('with bind changes the attributes of the mount alone, with rro those below too', async () => {
    const path = t.hostDirectory()
    mkdirSync(`${path}/below`)
    execFileSync('mount', ['-t', 'tmpfs', 'below', `${path}/below`])
    t.defer(() => void execFileSync('umount', [`${path}/below`]))
    const look = (...options: string[]) =>
      t.probe({
        spec: withMounts(
          { destination: '/mnt', type: 'bind', source: path, options: ['rbind'] },
          { destination: '/mnt', source: path, options: ['bind', 'remount', ...options] },
        ),
      })
    const top = await look('ro', 'nodev')
    expect(mountOn(top, '/mnt')?.options).toEqual(['ro', 'nodev', 'relatime'])
    expect(mountOn(top, '/mnt/below')?.options).toContain('rw')
    expect(mountOn(await look('noexec'), '/mnt')?.options).toEqual(['rw', 'noexec', 'relatime'])
    expect(mountOn(await look('rro'), '/mnt/below')?.options).toContain('ro')
  })

  it("is refused for a filesystem that may be the host's", async () => {
    const result = await t.run({
      spec: withMounts(
        { destination: '/mnt', type: 'bind', source: t.hostDirectory(), options: ['bind'] },
        { destination: '/mnt', type: 'ext4', source: '/', options: ['remount', 'ro'] },
      ),
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/mounts\[\d+\]\.options: "remount" needs an earlier mount of type "ext4" on \/mnt/)
    t.expectNothingLeft()
  })
})

describe('what runc 1.1 leaves as it was', () => {
  it.each([
    // A slave as well where the host's own tree is shared: its mounts arrive, and none of the container's leave.
    ['shared', /^shared:\d+(,master:\d+)?$/],
    ['rshared', /^shared:\d+(,master:\d+)?$/],
    ['unbindable', /^unbindable$/],
    ['runbindable', /^unbindable$/],
  ])('linux.rootfsPropagation %s', async (rootfsPropagation, expected) => {
    const report = await t.probe({
      spec: (spec) => {
        spec.linux.rootfsPropagation = rootfsPropagation
      },
    })
    expect(mountOn(report, '/')?.propagation.join()).toMatch(expected)
  })

  it.each([
    [
      ['rro', 'nosuid'],
      ['ro', 'nosuid'],
    ],
    [
      ['rnosuid', 'rnodev', 'rnoexec', 'rnosymfollow'],
      ['nosuid', 'nodev', 'noexec', 'nosymfollow'],
    ],
    [
      ['defaults', 'rnoatime'],
      ['rw', 'noatime'],
    ],
  ])('%j of a new filesystem', async (options, expected) => {
    const report = await t.probe({ spec: withMounts({ destination: '/mnt', type: 'tmpfs', source: 'x', options }) })
    expect(mountOn(report, '/mnt')?.options).toEqual(expect.arrayContaining(expected))
  })

  it.each([
    ['ro', ['rw'], ['rw', 'relatime']],
    ['nosuid,nodev,noexec', ['suid', 'dev', 'exec'], ['rw', 'relatime']],
    ['rw', ['rnosymfollow', 'rsymfollow'], ['rw', 'relatime']],
    ['ro', ['rrw'], ['rw', 'relatime']],
    ['rw', ['rro', 'rrw'], ['rw', 'relatime']],
    ['noatime', ['ratime'], ['rw', 'relatime']],
    // runc from 1.2 on: an option that takes a flag away names one.
    ['ro,nosuid,nodev,noexec', ['exec'], ['rw', 'relatime']],
    ['ro,nosuid', ['async'], ['rw', 'relatime']],
    ['nosuid,noatime', ['atime'], ['rw', 'noatime']],
    ['nosymfollow,nosuid', ['ro', 'rw'], ['rw', 'relatime']],
    ['nosuid', ['defaults'], ['rw', 'nosuid', 'relatime']],
  ])('a bind of a mount with %s, with %j', async (host, options, expected) => {
    const path = t.hostDirectory()
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path])
    t.defer(() => void execFileSync('umount', [path]))
    execFileSync('mount', ['-o', `remount,bind,${host}`, path])
    const bind = { destination: '/mnt', type: 'bind', source: path, options: ['bind', ...options] }
    const report = await t.probe({ spec: withMounts(bind) })
    expect(mountOn(report, '/mnt')?.options.toSorted()).toEqual(expected.toSorted())
  })
})

describe('options that a bind mount cannot have', () => {
  it.each([['sync'], ['dirsync'], ['lazytime'], ['acl'], ['iversion'], ['mand'], ['size=1m'], ['nocopy', 'copy']])(
    '%s are ignored with a warning that names them',
    async (...options) => {
      const result = await t.run({
        args: ['true'],
        spec: withMounts({
          destination: '/mnt',
          type: 'bind',
          source: t.hostDirectory(),
          options: ['bind', ...options],
        }),
      })
      const names = options.map((option) => `"${option}"`).join(', ')
      expect(result).toMatchObject({ exitCode: 0, stdout: '' })
      expect(result.stderr).toMatch(
        new RegExp(
          `^warning: mounts\\[\\d+\\]\\.options: ${names} ignored: a bind mount has no options of a filesystem\n$`,
        ),
      )
    },
  )
})

describe('flags of a bind mount in a user namespace', () => {
  const { mapped } = mappedBundles(t)

  /** A tmpfs of the host whose mount has these flags. */
  function locked(flags: string): string {
    const path = t.hostDirectory()
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path])
    t.defer(() => void execFileSync('umount', [path]))
    execFileSync('mount', ['-o', `remount,bind,${flags}`, path])
    return path
  }

  const look = async (source: string, ...lists: string[][]) => {
    const mounts = lists.map((options) => ({ destination: '/mnt', type: 'bind', source, options }))
    const bundle = await mapped({ args: ['cat', '/proc/self/mountinfo'], spec: withMounts(...mounts) })
    const result = await t.run(bundle)
    return { ...result, options: parseMountinfo(result.stdout).findLast(({ point }) => point === '/mnt')?.options }
  }

  it.each([
    [
      ['bind', 'noatime'],
      ['ro', 'nosuid', 'nodev', 'noexec', 'noatime'],
    ],
    [
      ['bind', 'sync'],
      ['ro', 'nosuid', 'nodev', 'noexec', 'relatime'],
    ],
    [
      ['bind', 'nosymfollow'],
      ['ro', 'nosuid', 'nodev', 'noexec', 'relatime', 'nosymfollow'],
    ],
    [['bind'], ['ro', 'nosuid', 'nodev', 'noexec', 'relatime']],
  ])('%j keep what the mount of the host forbids', async (options, expected) => {
    expect((await look(locked('ro,nosuid,nodev,noexec'), options)).options).toEqual(expected)
  })

  it.each(['rw', 'suid', 'dev', 'exec', 'rrw', 'rexec'])('%s is refused where the host forbids it', async (option) => {
    const { exitCode, stderr } = await look(locked('ro,nosuid,nodev,noexec'), ['bind', option])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /mounts\[\d+\]\.options: \S+ is mounted (ro|nosuid|nodev|noexec) on the host, which a container in a user namespace/,
    )
  })

  it('a remount keeps it too', async () => {
    const { options } = await look(locked('nosuid,noexec'), ['bind'], ['bind', 'remount', 'nodev'])
    expect(options).toEqual(['rw', 'nosuid', 'nodev', 'noexec', 'relatime'])
  })
})

it('an option without what it needs is refused by name', async () => {
  const result = await t.run({
    spec: withMounts({ destination: '/mnt', type: 'bind', source: t.hostDirectory(), options: ['bind', 'idmap'] }),
  })
  expect(result.stderr).toMatch(/mounts\[\d+\]\.options: .*"idmap"/)
})
