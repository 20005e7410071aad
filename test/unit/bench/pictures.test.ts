import { expect, test } from 'vitest'
import { formatScale, scalePicture } from '../../bench/report-scale.ts'
import { axisTicks, element } from '../../bench/svg.ts'
import { budgetOf } from '../../bench/trace-events.ts'
import { tracePicture } from '../../bench/trace-picture.ts'

const span = (cat: string, name: string, ts: number, dur: number, pid = 1) => ({ cat, name, ts, dur, pid })
const phases = ['config', 'sources', 'cgroups', 'launch', 'plan', 'wait', 'publish']
const trace = {
  spans: [
    span('cli', 'engine', 1000, 500),
    span('cli', 'load', 1500, 500),
    ...phases.map((name, index) => span('create', name, 2000 + 1000 * index, 900)),
    span('config', 'parse & validate', 2000, 100),
    span('create', 'mounts', 7000, 500, 2),
    span('cli', 'create', 2000, 7000),
  ],
  processes: new Map([
    [1, 'crio-lxc create'],
    [2, 'init of x'],
  ]),
}

test('budgetOf() tells the phases of a create, the start before them, and what none of them covers', () => {
  const { start, config, publish, unnamed, whole } = budgetOf(trace)
  expect({ start, config, publish, whole }).toEqual({ start: 1, config: 0.9, publish: 0.9, whole: 8 })
  expect(unnamed).toBeCloseTo(0.7)
  expect(() => budgetOf({ ...trace, spans: [] })).toThrow('the trace has no span cli engine')
})

test('tracePicture() has every process and every span by name, each within the picture', () => {
  const svg = tracePicture(trace)
  for (const name of ['crio-lxc create', 'init of x', 'engine 0.50', 'parse &amp; validate 0.10', 'mounts 0.50'])
    expect(svg).toContain(`>${name}</text>`)
  for (const name of phases) expect(svg).toContain(`>${name} 0.90</text>`)
  const rectangles = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)].map((each) =>
    each.map(Number),
  )
  expect(rectangles).toHaveLength(trace.spans.length)
  for (const [, x = Number.NaN, , width = Number.NaN] of rectangles) expect(x + width).toBeLessThanOrEqual(1200)
})

test('axisTicks() are round numbers from 0 to beyond the largest', () => {
  expect(axisTicks(9)).toEqual([0, 2.5, 5, 7.5, 10])
  expect(axisTicks(1000)).toEqual([0, 250, 500, 750, 1000])
  expect(axisTicks(0).at(-1)).toBeGreaterThan(0)
})

test('element() keeps what it is given from being markup', () => {
  expect(element('a', { b: '"<&' })).toBe('<a b="&quot;&lt;&amp;"/>')
})

test('formatScale() and scalePicture() show the same points', () => {
  const point = (existing: number) => ({
    ...{ existing, msEach: existing / 100, stateMs: 2, listMs: existing / 10 },
    ...{ staying: 0, runtimeKb: 20 * existing, openFds: 3 * existing },
  })
  const points = Array.from({ length: 10 }, (_, index) => point(100 * (index + 1)))
  const scales = new Map([['crio-lxc', { points, deleteMsEach: 4 }]])
  const where = { rounds: 1, date: '2026-01-01', machine: ['a machine'], timerOverheadMs: 0.5, timerPeakKb: 700 }
  const report = formatScale(where, scales)
  expect(report).toContain('| create and start of the first 500, ms each | 3.0 |')
  expect(report).toContain('| the same, containers a second | 333 |')
  expect(report).toContain('| of the last 100, ms each | 10.0 |')
  expect(report).toContain("| kB each of what stays and of the runtime's files, with 1000 | 20.0 |")
  expect(report).toContain('| open fds each, with 500 | 3.00 |')
  const lines = [...scalePicture(scales).matchAll(/points="([^"]+)"/g)].map(([, list = '']) => list.split(' ').length)
  expect(lines).toEqual([10, 10, 10, 10, 10])
})
