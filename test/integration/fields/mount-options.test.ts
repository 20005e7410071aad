import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { type MountEntry, mountOn, type ProbeReport, parseMountinfo } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import type { Mount } from '../../support/spec.ts'

requires('root')
const t = useContainers()

const probe = (...mounts: Mount[]): Promise<ProbeReport> =>
  t.probe({
    spec: (spec) => {
      spec.root.readonly = false
      spec.mounts.push(...mounts)
    },
  })

/** The options of the mount on /mnt, those of the filesystem behind them. */
function optionsAt(report: ProbeReport, point: string): string[] {
  const { options, superOptions } = mountOn(report, point) as MountEntry
  return [...options, ...superOptions.map((option) => `fs:${option}`)]
}

/** A tree of the host: a tmpfs with these options, and another one at `below` in it. */
function tree(options = 'rw'): string {
  const path = t.hostDirectory('tree-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'top', path])
  mkdirSync(`${path}/below`)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'below', `${path}/below`])
  t.defer(() => void execFileSync('umount', ['-R', path]))
  return path
}

describe('options of a new filesystem', () => {
  it.each([
    [['ro'], ['ro'], ['rw']],
    [['ro', 'rw'], ['rw'], ['ro']],
    [['nosuid'], ['nosuid'], []],
    [['nosuid', 'suid'], [], ['nosuid']],
    [['nodev'], ['nodev'], []],
    [['nodev', 'dev'], [], ['nodev']],
    [['noexec'], ['noexec'], []],
    [['noexec', 'exec'], [], ['noexec']],
    [['nosymfollow'], ['nosymfollow'], []],
    [['nosymfollow', 'symfollow'], [], ['nosymfollow']],
    [['noatime'], ['noatime'], ['relatime']],
    [['strictatime'], [], ['relatime', 'noatime']],
    [['relatime'], ['relatime'], ['noatime']],
    [['noatime', 'atime'], ['relatime'], ['noatime']],
    [['nodiratime'], ['nodiratime'], []],
    [['nodiratime', 'diratime'], [], ['nodiratime']],
    [['sync'], ['fs:sync'], []],
    [['sync', 'async'], [], ['fs:sync']],
    [['dirsync'], ['fs:dirsync'], []],
    [['lazytime'], ['fs:lazytime'], []],
    [['lazytime', 'nolazytime'], [], ['fs:lazytime']],
    [['mand', 'nomand', 'acl', 'noacl', 'silent', 'loud', 'noiversion'], ['rw'], []],
    [['size=1m', 'mode=701'], ['fs:size=1024k', 'fs:mode=701'], []],
  ])('%j', async (options, expected, unexpected) => {
    const found = optionsAt(await probe({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options }), '/mnt')
    expect(found).toEqual(expect.arrayContaining(expected))
    for (const option of unexpected) expect(found).not.toContain(option)
  })
})

describe('options of a bind mount', () => {
  it.each([
    ['rw', ['ro'], ['ro', 'relatime']],
    [
      'rw',
      ['nosuid', 'nodev', 'noexec', 'nosymfollow'],
      ['rw', 'nosuid', 'nodev', 'noexec', 'relatime', 'nosymfollow'],
    ],
    ['rw', ['noatime'], ['rw', 'noatime']],
    ['rw', ['nodiratime'], ['rw', 'nodiratime', 'relatime']],
    ['noatime', ['relatime'], ['rw', 'relatime']],
  ])('of %s with %j: of the top mount alone', async (host, options, expected) => {
    const path = tree(host)
    const before = parseMountinfo(t.read('/proc/self/mountinfo')).find(({ point }) => point === `${path}/below`)
    const report = await probe({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', ...options] })
    expect(mountOn(report, '/mnt')?.options.toSorted()).toEqual(expected.toSorted())
    expect(mountOn(report, '/mnt/below')?.options).toEqual(before?.options)
  })

  it.each([
    ['rw', ['rro'], ['ro', 'relatime']],
    ['rw', ['rnosuid', 'rnodev', 'rnoexec'], ['rw', 'nosuid', 'nodev', 'noexec', 'relatime']],
    ['nosuid,nodev,noexec', ['rsuid', 'rdev', 'rexec'], ['rw', 'relatime']],
    ['rw', ['rnosymfollow'], ['rw', 'relatime', 'nosymfollow']],
    ['rw', ['rnoatime'], ['rw', 'noatime']],
    ['rw', ['rstrictatime'], ['rw']],
    ['rw', ['rnodiratime'], ['rw', 'nodiratime', 'relatime']],
    ['nodiratime', ['rdiratime'], ['rw', 'relatime']],
  ])('of %s with %j: of every mount below too', async (host, options, expected) => {
    const path = tree(host)
    const report = await probe({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', ...options] })
    for (const point of ['/mnt', '/mnt/below'])
      expect(mountOn(report, point)?.options.toSorted()).toEqual(expected.toSorted())
  })

  it('rro holds for writing below', async () => {
    const path = tree()
    const result = await t.run({
      args: ['touch', '/mnt/below/file'],
      spec: (spec) => {
        spec.mounts.push({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', 'rro'] })
        spec.root.readonly = false
      },
    })
    expect(result.stderr).toMatch(/Read-only file system/)
  })
})

describe('propagation of a mount', () => {
  it.each([
    ['private', /^$/],
    ['rprivate', /^$/],
    ['slave', /^master:\d+$/],
    ['rslave', /^master:\d+$/],
    ['shared', /^shared:\d+(,master:\d+)?$/],
    ['rshared', /^shared:\d+(,master:\d+)?$/],
    ['unbindable', /^unbindable$/],
    ['runbindable', /^unbindable$/],
  ])('%s of a bind of a shared mount', async (option, expected) => {
    const path = tree()
    execFileSync('mount', ['--make-rshared', path])
    const report = await probe({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', option] })
    expect(mountOn(report, '/mnt')?.propagation.join()).toMatch(expected)
    if (option.startsWith('r')) expect(mountOn(report, '/mnt/below')?.propagation.join()).toMatch(expected)
  })

  it.each([
    ['shared', /^shared:\d+$/],
    ['unbindable', /^unbindable$/],
    ['private', /^$/],
  ])('%s of a new filesystem', async (option, expected) => {
    const report = await probe({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [option] })
    expect(mountOn(report, '/mnt')?.propagation.join()).toMatch(expected)
  })
})

describe('tmpcopyup', () => {
  it('a tmpfs begins with what the image has there, with owners, modes and links', async () => {
    const bundle = await t.bundle({
      args: ['sh', '-c', 'cat /data/file; readlink /data/link; stat -c "%a %u:%g" /data/dir/inner; touch /data/new'],
      spec: (spec) => {
        spec.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'mode=755'] })
      },
    })
    mkdirSync(`${bundle.rootfs}/data/dir`, { recursive: true })
    writeFileSync(`${bundle.rootfs}/data/file`, 'of the image\n')
    writeFileSync(`${bundle.rootfs}/data/dir/inner`, '')
    execFileSync('sh', ['-c', 'chmod 4711 dir/inner; chown 12:34 dir/inner; chmod 4711 dir/inner; ln -s file link'], {
      cwd: `${bundle.rootfs}/data`,
    })
    const result = await t.run(bundle)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'of the image\nfile\n4711 12:34\n' })
    expect(t.read(`${bundle.rootfs}/data/file`)).toBe('of the image\n')
  })
})

describe('destinations', () => {
  it('a relative one is below the root', async () => {
    const report = await probe({ destination: 'relative/../some/where/', type: 'tmpfs', source: 'tmpfs' })
    expect(mountOn(report, '/some/where')?.type).toBe('tmpfs')
  })
})
