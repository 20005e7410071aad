import { expect, test } from 'vitest'
import { formatReport } from '../../bench/report.ts'
import { median, quantile } from '../../bench/statistics.ts'
import { replaceBetweenMarkers } from '../../bench/tables.ts'

test('median() takes the middle value, or the mean of the middle two', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 9, 1, 5])).toBe(7)
  expect(() => median([])).toThrow('no values')
})

test('quantile() goes by proportion between two values', () => {
  const values = [10, 0, 30, 20, 40]
  expect([0, 0.1, 0.25, 0.9, 1].map((part) => quantile(values, part))).toEqual([0, 4, 10, 36, 40])
})

test('formatReport() divides the last runtime by each other one, by the medians and by the tenth percentiles', () => {
  const timing = (ms: number) => ({ ms, peakKb: 100 * ms, cpuMs: ms / 2 })
  const cycle = (ms: number) => ({
    ...{ create: timing(ms), start: timing(ms), state: timing(ms) },
    ...{ exec: timing(ms), kill: timing(ms), delete: timing(ms) },
    init: timing(2 * ms),
  })
  const memory = { parkedKb: 12, payloadKb: 900, staying: [], stayingKb: 0, filesKb: 16 }
  const report = formatReport({
    rounds: 2,
    date: '2026-01-01',
    machine: ['a machine'],
    timerOverheadMs: 0.5,
    timerPeakKb: 700,
    cycles: new Map([
      ['first', [cycle(10), cycle(20)]],
      ['last', [cycle(5), cycle(6)]],
    ]),
    memory: new Map([['last', memory]]),
  })
  expect(report).toContain('| ms, median | first | last | last / first |')
  expect(report).toContain('| create | 15.0 | 5.5 | 0.37 |')
  expect(report).toContain('| **whole cycle** | 90.0 | 33.0 | 0.37 |')
  expect(report).toContain('| ms, 10th percentile | first | last | last / first |')
  expect(report).toContain('| create | 11.0 | 5.1 | 0.46 |')
  expect(report).toContain('| last | 2.8 | 2.8 | 2.8 | 2.8 | 2.8 | 2.8 | 5.5 | 22.0 |')
  expect(report).toContain('| last | 550 | 550 | 550 | 550 | 550 | 550 |')
  expect(report).toContain('| last | none | 0 | 16 | 12 | 900 |')
})

test('replaceBetweenMarkers() keeps the markers and what is around them', () => {
  const page = 'before\n<!-- x: begin -->\nold\n<!-- x: end -->\nafter\n'
  const replaced = replaceBetweenMarkers(page, 'x', 'new')
  expect(replaced).toBe('before\n<!-- x: begin -->\nnew\n<!-- x: end -->\nafter\n')
  expect(replaceBetweenMarkers(replaced, 'x', 'new')).toBe(replaced)
  expect(() => replaceBetweenMarkers('no markers', 'x', 'new')).toThrow('are missing')
})
