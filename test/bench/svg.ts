/** As much of SVG as the pictures of the documentation need: elements, text, and a line chart. */

type Attributes = Readonly<Record<string, string | number>>

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(round(value)))}"`)
  return children.length === 0
    ? `<${name}${list.join('')}/>`
    : `<${name}${list.join('')}>${children.join('')}</${name}>`
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(content))
}

/** What a browser shows while the pointer is over the element around it. */
export function hover(content: string): string {
  return element('title', {}, escaped(content))
}

/** A whole picture, one element a line, on white: the page around it may be dark. */
export function picture(width: number, height: number, title: string, elements: readonly string[]): string {
  const frame = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' }
  const font = { 'font-family': 'sans-serif', 'font-size': 11, fill: '#222' }
  const background = element('rect', { width, height, fill: '#fff' })
  const lines = [hover(title), background, ...elements]
  return `${element('svg', { ...frame, ...font }, `\n${lines.join('\n')}\n`)}\n`
}

/** Colours that are told apart with any kind of eyes (Okabe and Ito). */
export const colours = ['#e69f00', '#56b4e9', '#0072b2', '#009e73', '#cc79a7', '#d55e00', '#999999'] as const

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Lines over one horizontal axis, both axes from 0. */
export function lineChart(title: string, series: readonly Series[], place: Place): string[] {
  const points = series.flatMap((each) => each.points)
  const right = Math.max(...points.map(([x]) => x))
  const ticks = axisTicks(Math.max(...points.map(([, y]) => y)))
  const top = ticks.at(-1) ?? 1
  const atX = (x: number) => place.x + (x / right) * place.width
  const atY = (y: number) => place.y + place.height - (y / top) * place.height
  return [
    text(place.x, place.y - 12, title, { 'font-weight': 'bold' }),
    ...ticks.flatMap((tick) => [
      element('line', { x1: place.x, x2: place.x + place.width, y1: atY(tick), y2: atY(tick), stroke: '#ddd' }),
      text(place.x - 6, atY(tick) + 4, tick.toLocaleString('en'), { 'text-anchor': 'end' }),
    ]),
    ...[0, right / 2, right].map((tick) =>
      text(atX(tick), place.y + place.height + 16, String(tick), { 'text-anchor': 'middle' }),
    ),
    ...series.map((each, index) =>
      element('polyline', {
        points: each.points.map(([x, y]) => `${round(atX(x))},${round(atY(y))}`).join(' '),
        fill: 'none',
        stroke: colours[index % colours.length] ?? '',
        'stroke-width': 2,
      }),
    ),
  ]
}

/** The names of the lines beside their colours, in one row. */
export function legend(names: readonly string[], x: number, y: number): string[] {
  return names.flatMap((name, index) => [
    element('rect', {
      x: x + index * 110,
      y: y - 9,
      width: 14,
      height: 10,
      fill: colours[index % colours.length] ?? '',
    }),
    text(x + index * 110 + 20, y, name),
  ])
}

/** About as many round numbers as asked for, from 0 to the largest value or just beyond it. */
export function axisTicks(largest: number, count = 4): number[] {
  const end = Math.max(largest, 1e-9)
  const power = 10 ** Math.floor(Math.log10(end / count))
  const step = ([1, 2, 2.5, 5].find((factor) => factor * power >= end / count) ?? 10) * power
  return Array.from({ length: Math.ceil(end / step) + 1 }, (_, index) => index * step)
}

function round(value: string | number): string | number {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
