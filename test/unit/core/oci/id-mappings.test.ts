import { checkMappedUser, checkUserNamespace, parseMap, sameMappings, toHostId } from '@crio-lxc/core/oci/id-mappings'
import { expect, test } from 'vitest'

const range = { containerID: 0, hostID: 100_000, size: 10 }
const far = { containerID: 1000, hostID: 5, size: 1 }

test('an id is looked up in every range', () => {
  expect([0, 9, 10, 1000].map((id) => toHostId([range, far], id))).toEqual([100_000, 100_009, undefined, 5])
})

test('a map of the kernel is read, and compared whatever its order', () => {
  const map = parseMap('         0     100000         10\n      1000          5          1\n')
  expect(map).toEqual([range, far])
  expect(sameMappings(map, [far, range])).toBe(true)
  expect(sameMappings(map, [range])).toBe(false)
})

test('mappings need a user namespace, and a new one needs both lists with root in them', () => {
  const user = [{ type: 'user' }] as const
  const check = (linux: Parameters<typeof checkUserNamespace>[0]) => () => checkUserNamespace(linux)
  expect(check({ uidMappings: [range] })).toThrow('linux.uidMappings: needs a user namespace')
  expect(check({ namespaces: user, uidMappings: [range] })).toThrow('linux.gidMappings: is missing')
  expect(check({ namespaces: user, uidMappings: [far], gidMappings: [range] })).toThrow(
    'linux.uidMappings: maps nothing to 0',
  )
  expect(check({ namespaces: user, uidMappings: [range], gidMappings: [range] })).not.toThrow()
  expect(check({ namespaces: [{ type: 'user', path: '/x' }] })).not.toThrow()
})

test('every id of the user is mapped', () => {
  const maps = { uids: [range], gids: [far] }
  expect(() => checkMappedUser({ uid: 10, gid: 1000 }, maps)).toThrow('process.user.uid: 10 is not mapped')
  expect(() => checkMappedUser({ uid: 9, gid: 0 }, maps)).toThrow('process.user.gid: 0 is not mapped')
  expect(() => checkMappedUser({ uid: 9, gid: 1000, additionalGids: [1000, 1] }, maps)).toThrow('additionalGids[1]: 1')
})
