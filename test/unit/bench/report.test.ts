import { expect, test } from 'vitest'
import { formatReport, median, replaceBetweenMarkers } from '../../bench/report.ts'

test('median() takes the middle value, or the mean of the middle two', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 9, 1, 5])).toBe(7)
  expect(() => median([])).toThrow('no values')
})

test('formatReport() divides the last runtime by each other one', () => {
  const cycle = (ms: number) => ({ create: ms, start: ms, state: ms, exec: ms, kill: ms, delete: ms })
  const memory = { parkedKb: 12, payloadKb: 900, staying: [], stayingKb: 0, filesKb: 16 }
  const report = formatReport({
    rounds: 1,
    date: '2026-01-01',
    machine: ['a machine'],
    timerOverheadMs: 0.5,
    times: new Map([
      ['first', [cycle(10)]],
      ['last', [cycle(5)]],
    ]),
    memory: new Map([['last', memory]]),
  })
  expect(report).toContain('| ms | first | last | last / first |')
  expect(report).toContain('| create | 10.0 | 5.0 | 0.50 |')
  expect(report).toContain('| **whole cycle** | 60.0 | 30.0 | 0.50 |')
  expect(report).toContain('| last | none | 0 | 16 | 12 | 900 |')
})

test('replaceBetweenMarkers() keeps the markers and what is around them', () => {
  const page = 'before\n<!-- x: begin -->\nold\n<!-- x: end -->\nafter\n'
  const replaced = replaceBetweenMarkers(page, 'x', 'new')
  expect(replaced).toBe('before\n<!-- x: begin -->\nnew\n<!-- x: end -->\nafter\n')
  expect(replaceBetweenMarkers(replaced, 'x', 'new')).toBe(replaced)
  expect(() => replaceBetweenMarkers('no markers', 'x', 'new')).toThrow('are missing')
})
