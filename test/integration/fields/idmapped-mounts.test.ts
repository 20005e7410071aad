import { chmodSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { idMap as map, mountOf, useIdMaps } from '../../support/id-maps.ts'
import { requires } from '../../support/requires.ts'
import type { Mount } from '../../support/spec.ts'

requires('root', 'idmapped-mounts')
const t = useContainers()
const { source, lines, show } = useIdMaps(t)

/** Uid and gid of a file of the host. */
const owner = (path: string): string => {
  const { uid, gid } = statSync(path)
  return `${uid}:${gid}`
}

describe('mounts[].uidMappings and gidMappings', () => {
  it('show other owners inside, of each id that they map', async () => {
    const path = source({ first: [100, 200], last: [109, 209], beyond: [110, 210], root: [0, 0], both: [105, 0] })
    const files = ['first', 'last', 'root', 'both', 'beyond'].map((name) => `/mnt/${name}`)
    expect(await lines(show(...files), [mountOf(path, '/mnt')])).toEqual([
      '1000:2000',
      '1009:2009',
      '0:0',
      '1005:0',
      '65534:65534',
    ])
  })

  it('give what is made inside the owners of the disk', async () => {
    const path = source({ old: [100, 200] })
    chmodSync(path, 0o777)
    const script = `touch /mnt/new && mkdir /mnt/directory && chown 1009:2000 /mnt/old && ${show('/mnt/new', '/mnt/old')}`
    const user = { uid: 1003, gid: 2004, additionalGids: [] }
    const capabilities = { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] }
    const asRoot = await lines(script, [mountOf(path, '/mnt')], { process: { capabilities } })
    expect(asRoot).toEqual(['0:0', '1009:2000'])
    expect([owner(`${path}/new`), owner(`${path}/directory`), owner(`${path}/old`)]).toEqual(['0:0', '0:0', '109:200'])
    const asUser = await lines(`touch /mnt/own && ${show('/mnt/own')}`, [mountOf(path, '/mnt')], { process: { user } })
    expect(asUser).toEqual(['1003:2004'])
    expect(owner(`${path}/own`)).toBe('103:204')
  })

  it('let nobody write whom they do not map', async () => {
    const path = source()
    chmodSync(path, 0o777)
    const unmapped = { uidMappings: [map(100, 1000)], gidMappings: [map(200, 2000)] }
    expect(await lines('touch /mnt/new 2>/dev/null || echo refused', [mountOf(path, '/mnt', unmapped)])).toEqual([
      'refused',
    ])
    expect(() => statSync(`${path}/new`)).toThrow('ENOENT')
  })

  it('count without the option too', async () => {
    const path = source({ file: [100, 200] })
    expect(await lines(show('/mnt/file'), [mountOf(path, '/mnt', { options: ['bind'] })])).toEqual(['1000:2000'])
  })

  it('are of one mount each', async () => {
    const path = source({ file: [100, 200] })
    const other = { uidMappings: [map(100, 5)], gidMappings: [map(200, 6)] }
    const plain = { destination: '/plain', type: 'bind', source: path, options: ['bind'] }
    const mounts = [mountOf(path, '/a'), mountOf(path, '/b', other), plain, mountOf(path, '/c')]
    expect(await lines(show('/a/file', '/b/file', '/plain/file', '/c/file'), mounts)).toEqual([
      '1000:2000',
      '5:6',
      '100:200',
      '1000:2000',
    ])
    expect(owner(`${path}/file`)).toBe('100:200')
  })

  it('map ids in many pieces', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => index)
    const path = source({ first: [0, 3], last: [199, 2] })
    // Backwards, so that no two lines could be one.
    const uidMappings = ids.map((id) => map(id, 1199 - id))
    const gidMappings = [map(3, 7), map(2, 9)]
    expect(await lines(show('/mnt/first', '/mnt/last'), [mountOf(path, '/mnt', { uidMappings, gidMappings })])).toEqual(
      ['1199:7', '1000:9'],
    )
  })

  it('of a file', async () => {
    const path = source({ file: [100, 200] })
    expect(await lines(show('/etc/file'), [mountOf(`${path}/file`, '/etc/file')])).toEqual(['1000:2000'])
  })

  it('of a read-only mount', async () => {
    const path = source({ file: [100, 200] })
    const script = `${show('/mnt/file')}; touch /mnt/file 2>/dev/null || echo refused`
    const mounts = [mountOf(path, '/mnt', { options: ['bind', 'ro', 'nosuid', 'idmap'] })]
    expect(await lines(script, mounts)).toEqual(['1000:2000', 'refused'])
  })
})

describe('what cannot be idmapped is refused', () => {
  it.each<[string, Partial<Mount>]>([
    ['a mapping of nothing', { uidMappings: [map(0, 0, 0)] }],
    ['ids that are mapped twice', { uidMappings: [map(0, 0, 10), map(5, 100, 10)] }],
    ['two ids that become one', { gidMappings: [map(0, 100, 10), map(50, 105, 10)] }],
    ['more lines than a map has', { uidMappings: Array.from({ length: 341 }, (_, index) => map(2 * index, index)) }],
    ['a file system that does not know how', { source: '/proc/sys' }],
    ['idmap without any mapping', { uidMappings: [], gidMappings: [] }],
  ])('%s', async (_name, changes) => {
    const mount = mountOf(source(), '/mnt', changes)
    const result = await t.run({
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts.push(mount)
      },
    })
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).not.toBe('')
    t.expectNothingLeft()
  })
})
