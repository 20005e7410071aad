import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import type { Mount, Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

const withMounts =
  (...mounts: Mount[]) =>
  (spec: Spec): void => {
    spec.root.readonly = false
    spec.mounts.push(...mounts)
  }

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
    expect(mountOn(top, '/mnt')?.options).toEqual(expect.arrayContaining(['ro', 'nodev']))
    expect(mountOn(top, '/mnt/below')?.options).toContain('rw')
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
  it.each(['sync', 'dirsync', 'lazytime', 'acl', 'iversion', 'mand', 'size=1m'])(
    '%s is refused by name',
    async (option) => {
      const result = await t.run({
        spec: withMounts({ destination: '/mnt', type: 'bind', source: t.hostDirectory(), options: ['bind', option] }),
      })
      expect(result.exitCode).toBe(1)
      expect(result.stderr).toMatch(new RegExp(`mounts\\[\\d+\\]\\.options: "${option}" is an option of filesystems`))
      t.expectNothingLeft()
    },
  )
})

it('an option without what it needs is refused by name', async () => {
  const result = await t.run({
    spec: withMounts({ destination: '/mnt', type: 'bind', source: t.hostDirectory(), options: ['bind', 'idmap'] }),
  })
  expect(result.stderr).toMatch(/mounts\[\d+\]\.options: .*"idmap"/)
})
