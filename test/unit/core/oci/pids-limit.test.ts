import { withPidsOfVersion } from '@crio-lxc/core/oci/pids-limit'
import { expect, test } from 'vitest'

test.each([
  ['1.0.2-dev', 0, -1],
  ['1.2.1', 0, -1],
  ['1.3.0-rc.1', 0, 0],
  ['1.3.0', 0, 0],
  ['1.10.0', 0, 0],
  ['1.0.0', -1, -1],
  ['1.0.0', 1, 1],
])('of a document of %s, limit %i is %i', (ociVersion, limit, meant) => {
  expect(withPidsOfVersion({ pids: { limit } }, ociVersion)).toEqual({ pids: { limit: meant } })
})

test('what has no such limit is as it was', () => {
  for (const resources of [{}, { pids: {} }]) expect(withPidsOfVersion(resources, '1.0.0')).toBe(resources)
})
