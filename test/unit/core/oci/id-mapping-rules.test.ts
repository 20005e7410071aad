import { checkIdMappings, idMapText } from '@crio-lxc/core/oci/id-mapping-rules'
import type { IdMapping } from '@crio-lxc/core/oci/linux'
import { describe, expect, test } from 'vitest'
import { thrownBy } from './spec-with.ts'

const map = (containerID: number, hostID: number, size: number): IdMapping => ({ containerID, hostID, size })
/** `count` mappings of single ids, none of which touch. */
const singles = (count: number, first = 0): IdMapping[] =>
  Array.from({ length: count }, (_, index) => map(first + 2 * index, first + 2 * index, 1))

describe('checkIdMappings()', () => {
  test.each<[string, readonly IdMapping[]]>([
    ['none', []],
    ['one id', [map(0, 0, 1)]],
    ['every id there is', [map(0, 0, 0xffffffff)]],
    ['the last id', [map(0xfffffffe, 0xfffffffe, 1)]],
    ['neighbours in both directions', [map(10, 100, 5), map(0, 105, 10), map(15, 99, 1)]],
    ['as many as the kernel takes', singles(340)],
  ])('accepts %s', (_name, mappings) => {
    expect(() => checkIdMappings(mappings, 'linux.uidMappings')).not.toThrow()
  })

  test.each<[string, readonly IdMapping[], string]>([
    ['a size of 0', [map(0, 0, 1), map(5, 5, 0)], 'f[1].size: must not be 0'],
    [
      'ids beyond the last in the container',
      [map(0xffffffff, 0, 1)],
      'f[0].containerID: must end at 4294967294 or before, got ids from 4294967295 to 4294967295',
    ],
    [
      'ids beyond the last on the host',
      [map(0, 4294967290, 10)],
      'f[0].hostID: must end at 4294967294 or before, got ids from 4294967290 to 4294967299',
    ],
    ['an overlap in the container', [map(5, 0, 5), map(0, 100, 6)], 'f[1].containerID: has ids that f[0] maps already'],
    ['an overlap on the host', [map(0, 0, 5), map(10, 4, 5)], 'f[1].hostID: has ids that f[0] maps already'],
    ['the same mapping twice', [map(0, 0, 1), map(0, 0, 1)], 'f[1].containerID: has ids that f[0] maps already'],
    ['341', singles(341), 'f: must have at most 340 items, got 341'],
    [
      'a text longer than a page',
      singles(340, 1_000_000),
      'f: must be shorter than 4096 bytes as the text of an id map, got 6120',
    ],
  ])('refuses %s', (_name, mappings, message) => {
    expect(thrownBy(() => checkIdMappings(mappings, 'f'))).toMatchObject({ name: 'SpecError', message })
  })
})

test('idMapText() has a line for each mapping', () => {
  expect(idMapText([map(0, 100000, 65536), map(70000, 0, 1)])).toBe('0 100000 65536\n70000 0 1\n')
})
