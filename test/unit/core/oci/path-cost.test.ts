import { checkPathCost } from '@crio-lxc/core/oci/path-cost'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import { describe, expect, test } from 'vitest'
import { specWith } from './spec-with.ts'

const deep = (count: number): string => '/d'.repeat(count)
const mountsOn = (...paths: string[]): Mount[] => paths.map((destination) => ({ destination, type: 'tmpfs' }))
const cost = (spec: Partial<Spec>) => () => checkPathCost({ ...specWith({}), ...spec })

describe('checkPathCost()', () => {
  test('lets a path be as long as PATH_MAX, and lists be long', () => {
    expect(cost({ mounts: mountsOn(deep(2000)) })).not.toThrow()
    expect(cost({ mounts: mountsOn(...Array.from({ length: 10_000 }, () => deep(15))) })).not.toThrow()
  })

  test.each<[string, Partial<Spec>, string]>([
    ['mounts', { mounts: mountsOn(deep(10), deep(1500), deep(1500)) }, 'mounts[2].destination'],
    [
      'devices',
      {
        mounts: mountsOn(deep(1500)),
        linux: { devices: [{ path: deep(1500), type: 'c', major: 1, minor: 3 }] },
      },
      'linux.devices[0].path',
    ],
  ])('names the field of %s with which it is too much', (_, spec, field) => {
    expect(cost(spec)).toThrow(
      `${field}: has 1501 directories in one another, too many beside those of the paths before`,
    )
  })
})
