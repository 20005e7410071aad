import type { State } from '@crio-lxc/core/oci/state'
import { describe, expect, test } from 'vitest'
import { filterOf } from '../../../../packages/runtime-cli/src/listing/filter.ts'
import { ageOf, wideRows } from '../../../../packages/runtime-cli/src/listing/wide.ts'

const state = (id: string, status: State['status'], annotations?: Record<string, string>): State => ({
  ociVersion: '1.2.0',
  id,
  status,
  pid: 7,
  bundle: '/b',
  rootfs: '/b/rootfs',
  created: '2026-01-01T00:00:00.5Z',
  owner: 'root',
  ...(annotations && { annotations }),
})

const states = [
  state('web-1', 'running', { tier: 'front', a: 'x=y' }),
  state('web-2', 'stopped', { tier: 'back' }),
  state('db', 'running'),
]

describe('filterOf()', () => {
  test.each<[string[], string[]]>([
    [['status=running'], ['web-1', 'db']],
    [
      ['status=running', 'status=stopped'],
      ['web-1', 'web-2', 'db'],
    ],
    [['id=web'], ['web-1', 'web-2']],
    [['id=web', 'status=running'], ['web-1']],
    [['annotation=tier'], ['web-1', 'web-2']],
    [['annotation=tier=back'], ['web-2']],
    [['annotation=a=x=y', 'annotation=tier=front'], ['web-1']],
    [['annotation=tier=front', 'annotation=tier=back'], []],
    [['annotation=constructor'], []],
  ])('%j', (filters, ids) => {
    expect(states.filter(filterOf(filters)).map(({ id }) => id)).toEqual(ids)
  })

  test.each(['status=up', 'status=', 'name=x', 'running', 'id='])('refuses %j', (filter) => {
    expect(() => filterOf([filter])).toThrow(/^invalid --filter ".*": want /)
  })
})

test.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m'],
  [3_725, '1h2m'],
  [86_400 * 3 + 3_600 * 4 + 5, '3d4h'],
  [-5, '-'],
])('ageOf() after %d s is %s', (seconds, age) => {
  expect(ageOf('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + seconds * 1000)).toBe(age)
})

test('wideRows() has what CRI-O, containerd and podman say', () => {
  const rows = wideRows(
    [
      state('a', 'running', {
        'io.kubernetes.pod.name': 'pod',
        'io.kubernetes.pod.namespace': 'ns',
        'io.kubernetes.container.name': 'c',
        'io.kubernetes.cri-o.ImageName': 'img:1',
      }),
      state('b', 'running', {
        'io.kubernetes.cri.sandbox-name': 'pod2',
        'io.kubernetes.cri.image-name': 'img:2',
      }),
      state('c', 'stopped', { 'io.container.manager': 'libpod' }),
      state('d', 'stopped'),
    ],
    Date.parse('2026-01-01T00:01:01Z'),
  )
  expect(rows.slice(1)).toEqual([
    ['a', '7', 'running', '1m', 'ns/pod', 'c', 'img:1', 'cri-o'],
    ['b', '7', 'running', '1m', 'pod2', '-', 'img:2', 'containerd'],
    ['c', '7', 'stopped', '1m', '-', '-', '-', 'podman'],
    ['d', '7', 'stopped', '1m', '-', '-', '-', '-'],
  ])
})
