import { mkdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { idMap as map, mountOf, useIdMaps } from '../../support/id-maps.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import type { Mount } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()
const { source, sourceWithMountBelow, lines, show } = useIdMaps(t)

describe('mounts below an idmapped one', () => {
  it.each([
    ['keep their owners with idmap', ['rbind', 'idmap'], ['1000:2000', '100:200']],
    ['are mapped with ridmap', ['rbind', 'ridmap'], ['1000:2000', '1000:2000']],
    ['are mapped with ridmap, and read-only with rro', ['rbind', 'ridmap', 'rro'], ['1000:2000', '1000:2000']],
  ])('%s', async (_name, options, expected) => {
    const mounts = [mountOf(sourceWithMountBelow(100, 200), '/mnt', { options })]
    expect(await lines(show('/mnt/file', '/mnt/below/file'), mounts)).toEqual(expected)
  })
})

describe('an idmapped mount', () => {
  it('can be shared', async () => {
    const path = source({ file: [100, 200] })
    const script = `${show('/mnt/file')}; grep -c ' /mnt .* shared:' /proc/self/mountinfo`
    expect(await lines(script, [mountOf(path, '/mnt', { options: ['bind', 'shared', 'idmap'] })])).toEqual([
      '1000:2000',
      '1',
    ])
  })

  it('a source that is a symlink is what it leads to, and a target stays in the root', async () => {
    const path = source({ file: [100, 200] })
    const link = join(t.hostDirectory(), 'link')
    symlinkSync(path, link)
    const outside = t.hostDirectory()
    const bundle = await t.bundle({
      args: ['sh', '-c', show(`${outside}/file`)],
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts.push(mountOf(link, '/escape'))
      },
    })
    mkdirSync(join(bundle.rootfs, outside), { recursive: true })
    symlinkSync(outside, `${bundle.rootfs}/escape`)
    const result = await t.run(bundle)
    expect(result.stdout, result.stderr).toBe('1000:2000\n')
    expect(() => statSync(`${outside}/file`)).toThrow('ENOENT')
  })
})

describe('what cannot be idmapped is an error that names it', () => {
  it.each<[string, Partial<Mount>, string]>([
    ['one list only', { gidMappings: [] }, '.gidMappings: is missing: uidMappings needs it beside it'],
    ['the other list only', { uidMappings: [] }, '.uidMappings: is missing: gidMappings needs it beside it'],
    ['a mapping of nothing', { uidMappings: [map(0, 0, 0)] }, '.uidMappings[0].size: must not be 0'],
    [
      'a mount that is no bind',
      { type: 'tmpfs', options: ['idmap'] },
      '.uidMappings: only bind mounts can be idmapped: add the option "bind" or "rbind"',
    ],
    [
      'a mount that is there already',
      { options: ['bind', 'remount', 'idmap'] },
      '.uidMappings: a mount that is there already cannot be idmapped',
    ],
    [
      'ridmap without any mapping',
      { options: ['rbind', 'ridmap'], uidMappings: [], gidMappings: [] },
      '.options: "ridmap" needs the mount\'s uidMappings and gidMappings, or a user namespace of the container\'s',
    ],
    [
      'a file system that does not know how',
      { source: '/proc/sys' },
      '.source: idmap /proc/sys: invalid argument: its filesystem does not support idmapped mounts',
    ],
    [
      'one below that does not know how',
      { source: '/', options: ['rbind', 'ridmap'] },
      '.source: idmap /: invalid argument: its filesystem, or that of a mount below it, does not support idmapped mounts',
    ],
  ])('%s', async (_name, changes, message) => {
    const mount = mountOf(source(), '/mnt', changes)
    const result = await t.run({
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts = [mount, ...spec.mounts]
      },
    })
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toBe(`mounts[0]${message}`)
    t.expectNothingLeft()
  })

  it('a runtime that may not write the maps', async () => {
    const path = source()
    const bundle = await t.bundle({ spec: (spec) => void spec.mounts.unshift(mountOf(path, '/mnt')) })
    const result = await t.run(bundle, { through: ['setpriv', '--bounding-set=-setuid'] })
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(
      /^mounts\[0\]\.uidMappings: make a user namespace for the mappings: write \/proc\/\d+\/uid_map: operation not permitted$/,
    )
    t.expectNothingLeft()
  })
})

it('debug plan shows the mappings', async () => {
  const path = source()
  const bundle = await t.bundle({
    spec: (spec) => void spec.mounts.unshift(mountOf(path, '/mnt', { options: ['rbind', 'ridmap'] })),
  })
  const { stdout } = await t.ok(['debug', 'plan', '--json', bundle.path])
  expect(JSON.parse(stdout).idMaps).toEqual([
    { mount: 'mounts[0] /mnt', recursive: true, uidMap: ['0 0 1', '100 1000 10'], gidMap: ['0 0 1', '200 2000 10'] },
  ])
  const text = (await t.ok(['debug', 'plan', bundle.path])).stdout
  expect(text).toContain('mounts[0] /mnt and the mounts below: uids 0 0 1, 100 1000 10; gids 0 0 1, 200 2000 10\n')
})
