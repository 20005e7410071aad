import { checkTimeOffsets } from '@crio-lxc/core/oci/time-rules'
import { describe, expect, test } from 'vitest'
import { thrownBy } from './spec-with.ts'

const newTime = { type: 'time' } as const

describe('checkTimeOffsets()', () => {
  test.each<[string, Parameters<typeof checkTimeOffsets>[0]]>([
    ['none', {}],
    ['none of no clock', { timeOffsets: {} }],
    ['none, in a namespace by path', { timeOffsets: {}, namespaces: [{ ...newTime, path: '/proc/1/ns/time' }] }],
    [
      'the most of both clocks',
      {
        timeOffsets: { monotonic: { secs: -(2n ** 63n) }, boottime: { secs: 2n ** 63n - 1n, nanosecs: 999_999_999 } },
        namespaces: [{ type: 'pid' }, { ...newTime, path: '' }],
      },
    ],
  ])('accepts %s', (_name, linux) => {
    expect(() => checkTimeOffsets(linux)).not.toThrow()
  })

  test.each<[string, Parameters<typeof checkTimeOffsets>[0], string]>([
    [
      'another clock',
      { timeOffsets: { realtime: { secs: 1 } }, namespaces: [newTime] },
      'linux.timeOffsets.realtime: is no clock with an offset: use monotonic or boottime',
    ],
    [
      'a name that every object has',
      { timeOffsets: JSON.parse('{"constructor": {}}'), namespaces: [newTime] },
      'linux.timeOffsets.constructor: is no clock with an offset: use monotonic or boottime',
    ],
    [
      'a second of nanoseconds',
      { timeOffsets: { boottime: { nanosecs: 1_000_000_000 } }, namespaces: [newTime] },
      'linux.timeOffsets.boottime.nanosecs: must be less than a second (1000000000), got 1000000000',
    ],
    [
      'offsets without a namespace',
      { timeOffsets: { boottime: { secs: 1 } }, namespaces: [{ type: 'pid' }] },
      'linux.timeOffsets: needs a time namespace in linux.namespaces',
    ],
    [
      'offsets for a namespace by path',
      {
        timeOffsets: { boottime: { secs: 1 } },
        namespaces: [{ type: 'pid' }, { ...newTime, path: '/proc/1/ns/time' }],
      },
      'linux.timeOffsets: needs a new time namespace, and linux.namespaces[1].path joins one that has its offsets',
    ],
  ])('refuses %s', (_name, linux, message) => {
    expect(thrownBy(() => checkTimeOffsets(linux))).toMatchObject({ name: 'SpecError', message })
  })
})
