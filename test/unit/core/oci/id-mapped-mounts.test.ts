import { checkIdMappedMounts, hasIdMappedMounts, idMappingOf } from '@crio-lxc/core/oci/id-mapped-mounts'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import { describe, expect, test } from 'vitest'
import { specWith, thrownBy } from './spec-with.ts'

const own = [{ containerID: 100, hostID: 1000, size: 10 }]
const namespaces = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
const bind = { destination: '/x', type: 'bind', source: '/s' }

const withMounts = (mounts: Mount[], linux: Spec['linux'] = {}): Spec => ({ ...specWith({}), mounts, linux })
const inNamespace = { namespaces: [{ type: 'user' }], uidMappings: namespaces, gidMappings: namespaces } as const

describe('idMappingOf()', () => {
  test.each<[string, Mount, object | undefined]>([
    ['a mount without', { ...bind, options: ['rbind', 'ro'] }, undefined],
    ['empty lists', { ...bind, uidMappings: [], gidMappings: [] }, undefined],
    [
      'mappings without an option',
      { ...bind, uidMappings: own, gidMappings: own },
      { recursive: false, uidMappings: own, ofNamespace: false, field: 'uidMappings' },
    ],
    [
      'mappings with ridmap',
      { ...bind, options: ['rbind', 'ridmap'], uidMappings: own, gidMappings: own },
      { recursive: true, uidMappings: own, ofNamespace: false },
    ],
    ['the last of two options', { ...bind, options: ['ridmap', 'idmap'] }, { recursive: false }],
    [
      "an option alone, which takes the namespace's",
      { ...bind, options: ['bind', 'ridmap'] },
      { recursive: true, uidMappings: namespaces, gidMappings: namespaces, ofNamespace: true, field: 'options' },
    ],
  ])('%s', (_name, mount, expected) => {
    const spec = withMounts([mount], inNamespace)
    if (expected) expect(idMappingOf(mount, spec)).toMatchObject(expected)
    else expect(idMappingOf(mount, spec)).toBeUndefined()
    expect(hasIdMappedMounts(spec)).toBe(expected !== undefined)
  })
})

describe('checkIdMappedMounts()', () => {
  test.each<[string, Mount, Spec['linux']]>([
    ['the option in a new user namespace', { ...bind, options: ['idmap'] }, inNamespace],
    ['in one by path', { ...bind, options: ['idmap'] }, { namespaces: [{ type: 'user', path: '/proc/7/ns/user' }] }],
    [
      'mappings with the option rbind and no type',
      { destination: '/x', options: ['rbind'], uidMappings: own, gidMappings: own },
      {},
    ],
  ])('accepts %s', (_name, mount, linux) => {
    expect(() => checkIdMappedMounts(withMounts([mount], linux))).not.toThrow()
  })

  test.each<[string, Partial<Mount>, string]>([
    ['uids alone', { uidMappings: own }, 'gidMappings: is missing: uidMappings needs it beside it'],
    ['gids alone', { gidMappings: own }, 'uidMappings: is missing: gidMappings needs it beside it'],
    [
      'a filesystem',
      { type: 'tmpfs', uidMappings: own, gidMappings: own },
      'uidMappings: only bind mounts can be idmapped: add the option "bind" or "rbind"',
    ],
    [
      'an option of a filesystem',
      { type: 'tmpfs', options: ['idmap'] },
      'options: only bind mounts can be idmapped: add the option "bind" or "rbind"',
    ],
    ['a remount', { options: ['remount', 'idmap'] }, 'options: a mount that is there already cannot be idmapped'],
    [
      'an option without any mapping',
      { options: ['idmap'] },
      `options: "idmap" needs the mount's uidMappings and gidMappings, or a user namespace of the container's`,
    ],
    [
      'what no map can have',
      { uidMappings: own, gidMappings: [...own, ...own] },
      'gidMappings[1].containerID: has ids that mounts[1].gidMappings[0] maps already',
    ],
  ])('refuses %s', (_name, changes, message) => {
    const spec = withMounts([bind, { ...bind, ...changes }])
    expect(thrownBy(() => checkIdMappedMounts(spec))).toMatchObject({
      name: 'SpecError',
      message: `mounts[1].${message}`,
    })
  })
})
