import { describe, expect, test } from 'vitest'
import { table } from '../../../../packages/runtime-cli/src/command-line/table.ts'
import { fit as fitted } from '../../../../packages/runtime-cli/src/foreground/screen.ts'
import {
  type Order,
  orderOfKey,
  topRows,
  type Usage,
  withShortIds,
} from '../../../../packages/runtime-cli/src/lifecycle/top.ts'

const usage = (id: string, cpuMs: number, memory: number, pids: number, atMs = 1000): Usage => ({
  id,
  status: 'running',
  cpuNs: cpuMs * 1e6,
  atMs,
  memory,
  memoryLimit: 0,
  pids,
  pidsLimit: 0,
})

const before = [usage('a', 0, 0, 0, 0), usage('b', 0, 0, 0, 0), usage('c', 0, 0, 0, 0)]
const now = [usage('a', 100, 3, 1), usage('b', 500, 1, 1), usage('c', 200, 2, 9), usage('new', 900, 0, 0)]

describe('topRows()', () => {
  test.each<[Order, string, string[]]>([
    ['name', 'ID STATUS CPU MEMORY PIDS', ['a', 'b', 'c', 'new']],
    ['cpu', 'ID STATUS CPU * MEMORY PIDS', ['b', 'c', 'a', 'new']],
    ['memory', 'ID STATUS CPU MEMORY * PIDS', ['a', 'c', 'b', 'new']],
    ['pids', 'ID STATUS CPU MEMORY PIDS *', ['c', 'a', 'b', 'new']],
  ])('by %s', (order, title, ids) => {
    const [header, ...rows] = topRows(now, before, order)
    expect(header?.join(' ')).toBe(title)
    expect(rows.map(([id]) => id)).toEqual(ids)
  })

  test('has no CPU of what was not there before, and of a container with the id of another', () => {
    const rows = topRows([usage('a', 1, 0, 0), usage('x', 1, 0, 0)], [usage('a', 50, 0, 0, 0)], 'cpu')
    expect(rows.slice(1).map(([, , cpu]) => cpu)).toEqual(['-', '-'])
  })

  test.each(['cpu', 'memory', 'pids'] as const)(
    'by %s: says nothing of what cannot be known, and has it last',
    (order) => {
      const unknown = { id: 'a', status: 'damaged', atMs: 1000 } as const
      const rows = topRows([unknown, usage('b', 1, 0, 0)], [{ ...unknown, atMs: 0 }, usage('b', 0, 0, 0, 0)], order)
      expect(rows.slice(1).map(([id]) => id)).toEqual(['b', 'a'])
      expect(rows[2]).toEqual(['a', 'damaged', '-', '-', '-'])
    },
  )
})

test.each([
  ['c', 'cpu'],
  ['M', 'memory'],
  ['p', 'pids'],
  ['n', 'name'],
  ['x', undefined],
  ['', undefined],
])('orderOfKey(%j)', (key, order) => {
  expect(orderOfKey(key)).toBe(order)
})

test.each([80, 100, 200])('withShortIds() makes a table of %d columns at most', (width) => {
  const rows = topRows([usage('f'.repeat(64), 1, 2 ** 30, 100), usage('short', 1, 0, 0)], [])
  const lines = table(withShortIds(rows, width)).trimEnd().split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(width)
  expect(lines[1]).toMatch(width < 150 ? /^f+~ +running / : /^f{64} +running /)
  expect(lines[2]).toMatch(/^short /)
})

test('fit() keeps the header, and counts what has no room', () => {
  const text = ['ID', '1', '2', '3', '4'].join('\n')
  expect(fitted(text, { height: 4, width: 80 })).toBe('ID\x1b[K\n1\x1b[K\n... and 3 more\x1b[K\n')
})
