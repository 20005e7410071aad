import { atOnce, type Scale, type ScalePoint, steps } from './measure-scale.ts'
import { type Circumstances, measuredOn } from './report.ts'
import { legend, lineChart, picture, type Series } from './svg.ts'
import { table } from './tables.ts'

/** The measurement of `--scale` as Markdown, the first 500 and all of them beside each other. */
export function formatScale(where: Circumstances, scales: ReadonlyMap<string, Scale>): string {
  const names = [...scales.keys()]
  const containers = Math.max(...[...scales.values()].flatMap(({ points }) => points.map(({ existing }) => existing)))
  const rows = rowsOf(containers).map(([label, pick]) => [label, ...[...scales.values()].map(pick)])
  return [
    `${measuredOn(where)} ${containers} containers, ${Math.min(atOnce, containers / steps)} at once.`,
    '',
    ...table(['', ...names], rows),
    '',
    '![Time, memory and fds by the number of containers](pictures/scale.svg)',
  ].join('\n')
}

function rowsOf(containers: number): [label: string, pick: (scale: Scale) => string][] {
  const at = (existing: number) => (measured: Scale) => measured.points.find((point) => point.existing === existing)
  const cell =
    (existing: number, pick: (point: ScalePoint) => number, digits = 1) =>
    (measured: Scale) => {
      const point = at(existing)(measured)
      return point === undefined ? '' : pick(point).toFixed(digits)
    }
  const [half, step] = [containers / 2, containers / steps]
  const first = (measured: Scale) => measured.points.filter(({ existing }) => existing <= half)
  const mean = (points: readonly ScalePoint[]) => points.reduce((sum, { msEach }) => sum + msEach, 0) / points.length
  return [
    [`create and start of the first ${half}, ms each`, (measured) => mean(first(measured)).toFixed(1)],
    [`the same, containers a second`, (measured) => (1000 / mean(first(measured))).toFixed(0)],
    [`create and start of the first ${step}, ms each`, cell(step, ({ msEach }) => msEach)],
    [`of the last ${step}, ms each`, cell(containers, ({ msEach }) => msEach)],
    [`kill, death and delete of all, ms each`, ({ deleteMsEach }) => deleteMsEach.toFixed(1)],
    ...[step, containers].map((n): [string, (scale: Scale) => string] => [
      `\`state\` with ${n}, ms`,
      cell(n, ({ stateMs }) => stateMs),
    ]),
    ...[step, containers].map((n): [string, (scale: Scale) => string] => [
      `\`list\` of ${n}, ms`,
      cell(n, ({ listMs }) => listMs),
    ]),
    [`processes that stay with ${containers}`, cell(containers, ({ staying }) => staying, 0)],
    ...[half, containers].map((n): [string, (scale: Scale) => string] => [
      `kB each of what stays and of the runtime's files, with ${n}`,
      cell(n, ({ runtimeKb }) => runtimeKb / n),
    ]),
    ...[half, containers].map((n): [string, (scale: Scale) => string] => [
      `open fds each, with ${n}`,
      cell(n, ({ openFds }) => openFds / n, 2),
    ]),
  ]
}

/** Three charts over the number of containers that exist: time, memory, fds. */
export function scalePicture(scales: ReadonlyMap<string, Scale>): string {
  const series = (pick: (point: ScalePoint) => number): Series[] =>
    [...scales].map(([name, { points }]) => ({ name, points: points.map((each) => [each.existing, pick(each)]) }))
  const charts: [string, (point: ScalePoint) => number][] = [
    ['create and start, ms each', ({ msEach }) => msEach],
    ['state, ms', ({ stateMs }) => stateMs],
    ['list of all, ms', ({ listMs }) => listMs],
    ['what stays and files, kB', ({ runtimeKb }) => runtimeKb],
    ['open fds', ({ openFds }) => openFds],
  ]
  const width = 230
  const elements = charts.flatMap(([title, pick], index) => {
    const place = { x: 60 + (index % 3) * (width + 70), y: 50 + Math.floor(index / 3) * 220, width, height: 150 }
    return lineChart(title, series(pick), place)
  })
  const names = legend([...scales.keys()], 60, 16)
  const axis = 'horizontally: how many containers exist'
  return picture(960, 480, `Cost by the number of containers; ${axis}`, [...names, ...elements])
}
