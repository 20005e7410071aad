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

/** A tree of the host: a tmpfs whose mount has these options, and another one at `below` in it. */
function tree(options = 'rw'): string {
  const path = t.hostDirectory('tree-')
  execFileSync('mount', ['-t', 'tmpfs', 'top', path])
  t.defer(() => void execFileSync('umount', ['-R', path]))
  mkdirSync(`${path}/below`)
  execFileSync('mount', ['-t', 'tmpfs', 'below', `${path}/below`])
  for (const point of [path, `${path}/below`]) execFileSync('mount', ['-o', `remount,bind,${options}`, point])
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
    [['noatime', 'relatime'], ['noatime'], ['relatime']],
    [['strictatime', 'noatime'], [], ['relatime', 'noatime']],
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
    // Flags that nobody names are not the mount's when one is named, but for the access times.
    ['ro,nosuid,nodev,noexec', ['ro'], ['ro', 'relatime']],
    ['ro,nosuid,nodev,noexec', ['nodev'], ['rw', 'nodev', 'relatime']],
    ['nosuid,noatime,nodiratime', ['noexec'], ['rw', 'noexec', 'noatime', 'nodiratime']],
    ['nosuid', ['noatime'], ['rw', 'noatime']],
    ['nodiratime', ['noatime'], ['rw', 'noatime']],
    ['noatime', ['nodiratime'], ['rw', 'nodiratime', 'relatime']],
    ['noatime', ['atime'], ['rw', 'noatime']],
    ['strictatime', ['diratime'], ['rw']],
    ['nosuid', ['silent'], ['rw', 'relatime']],
    // Contradictions are resolved as mount(2) does: strictatime, then noatime, whatever the order.
    ['rw', ['noatime', 'relatime'], ['rw', 'noatime']],
    ['rw', ['strictatime', 'noatime'], ['rw']],
    ['rw', ['noatime', 'strictatime', 'nostrictatime'], ['rw', 'noatime']],
    // The recursive ones come last.
    ['rw', ['ro', 'rrw'], ['rw', 'relatime']],
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

  it.each([[[]], [['rprivate']], [['rslave', 'rnoatime', 'ratime']]])(
    'that names no flag of its own (%j) keeps those of its source',
    async (options) => {
      const path = tree('ro,nosuid,nodev,noexec,nodiratime')
      const report = await probe({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', ...options] })
      expect(mountOn(report, '/mnt')?.options).toEqual(
        expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec', 'nodiratime']),
      )
    },
  )

  it.each(['sync', 'dirsync', 'lazytime', 'iversion', 'mand'])(
    '%s, which is of a filesystem, names a flag all the same',
    async (option) => {
      const report = await probe({
        destination: '/mnt',
        type: 'bind',
        source: tree('nosuid'),
        options: ['bind', option],
      })
      expect(optionsAt(report, '/mnt')).toEqual(['rw', 'relatime', 'fs:rw'])
    },
  )

  // podman passes nocopy of a named volume on.
  it.each([['nocopy'], ['copy'], ['size=1m'], ['uid=7', 'nocopy'], ['nosuch']])('ignores %j', async (...ignored) => {
    const path = tree('nosuid')
    const mount = { destination: '/mnt', type: 'bind', source: path, options: ['bind', ...ignored] }
    expect(mountOn(await probe(mount), '/mnt')?.options).toEqual(['rw', 'nosuid', 'relatime'])
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
