import { describeUnknownFields } from '@crio-lxc/core/oci/unknown-fields'
import { describe, expect, test } from 'vitest'
import { type Changes, specWith } from './spec-with.ts'

const unknownOf = (changes: Changes) => describeUnknownFields(specWith(changes))

describe('describeUnknownFields()', () => {
  test('says nothing of a document whose fields are all known', () => {
    expect(unknownOf({ hooks: { poststop: [{ path: '/x' }] } })).toBeUndefined()
  })

  test('names them at every depth, in the order of the document', () => {
    const paths = unknownOf({
      future: { limit: 5 },
      'process.user.Uid': 1,
      'linux.resources.memory.future': 1,
      'mounts[0].Options': ['ro'],
    })
    expect(paths?.split(', ').sort()).toEqual(
      ['future', 'linux.resources.memory.future', 'mounts[0].Options', 'process.user.Uid'].sort(),
    )
  })

  test('leaves out keys that are free, and the objects of other platforms', () => {
    const free = { annotations: { 'a.b': 'c' }, 'linux.sysctl': { 'net.core.somaxconn': '1' } }
    expect(unknownOf({ ...free, windows: { layerFolders: ['x'] } })).toBeUndefined()
  })

  test('takes names of Object.prototype for unknown', () => {
    expect(unknownOf({ 'process.constructor': 1 })).toBe('process.constructor')
  })

  test('cuts a long name', () => {
    expect(describeUnknownFields({ ['x'.repeat(1_000_000)]: 1 })).toBe(`${'x'.repeat(200)}...`)
  })

  test('names twenty at most, and counts the others', () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`x${index}`, 1]))
    expect(describeUnknownFields(many)).toBe(
      `${Array.from({ length: 20 }, (_, index) => `x${index}`).join(', ')} and 5 more`,
    )
  })
})
