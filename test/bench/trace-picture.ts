/** A trace of `crio-lxc --trace` as a picture: a time axis, a row for each process, a bar for each span. */
import { axisTicks, colours, element, hover, picture, text } from './svg.ts'
import type { Span, Trace } from './trace-events.ts'

const width = 1200
const margin = 12
const barHeight = 18
const labelHeight = 14
/** What a letter of the labels takes, a little more than it does. */
const letterWidth = 6.2

/** A white edge around letters that lines cross. */
const legible = { stroke: '#fff', 'stroke-width': 3, 'paint-order': 'stroke' }

interface Bar {
  readonly span: Span
  /** How many spans it lies in. */
  readonly depth: number
}

/** The picture of one verb: everything from its first span to its last. */
export function tracePicture({ spans, processes }: Trace): string {
  const began = Math.min(...spans.map(({ ts }) => ts))
  const ended = Math.max(...spans.map(({ ts, dur }) => ts + dur))
  const scale = (width - 2 * margin) / (ended - began)
  const at = (microseconds: number): number => margin + (microseconds - began) * scale
  const elements: string[] = []
  let y = 40
  for (const [pid, name] of processes) {
    elements.push(text(margin, y + 12, name, { 'font-weight': 'bold' }))
    const row = drawProcess(nest(spans.filter((span) => span.pid === pid)), y + 20, at)
    elements.push(...row.elements)
    y = row.bottom + 14
  }
  const title = `crio-lxc create: ${((ended - began) / 1000).toFixed(1)} ms from the engine's start`
  return picture(width, y, title, [
    text(margin, 16, title),
    ...axis(ended - began, (us) => at(began + us), y),
    ...elements,
  ])
}

function axis(length: number, at: (microseconds: number) => number, bottom: number): string[] {
  const inside = axisTicks(length, 12).filter((tick) => tick <= length)
  return inside.flatMap((tick) => [
    element('line', { x1: at(tick), x2: at(tick), y1: 34, y2: bottom - 6, stroke: '#ddd' }),
    text(at(tick), 30, `${tick / 1000} ms`, { fill: '#666', 'text-anchor': tick === 0 ? 'start' : 'middle' }),
  ])
}

/** The longest first where several begin at once; each below those that it lies in. */
function nest(spans: readonly Span[]): Bar[] {
  const open: Span[] = []
  return spans
    .toSorted((a, b) => a.ts - b.ts || b.dur - a.dur)
    .map((span) => {
      while (open.length > 0 && endOf(open.at(-1)) <= span.ts) open.pop()
      open.push(span)
      return { span, depth: open.length - 1 }
    })
}

function endOf(span: Span | undefined): number {
  return span === undefined ? 0 : span.ts + span.dur
}

/** Bars by depth, and below them the names that do not fit into theirs, with a line to each. */
function drawProcess(bars: readonly Bar[], top: number, at: (ts: number) => number) {
  const depths = Math.max(...bars.map(({ depth }) => depth)) + 1
  const below = top + depths * (barHeight + 3) + 2
  const freeFrom: number[] = []
  const [elements, labels]: [string[], string[]] = [[], []]
  for (const [index, { span, depth }] of bars.entries()) {
    const [x, y] = [at(span.ts), top + depth * (barHeight + 3)]
    const barWidth = Math.max(at(endOf(span)) - x, 1)
    const fill = colours[index % colours.length] ?? ''
    const label = `${span.name} ${(span.dur / 1000).toFixed(2)}`
    elements.push(
      element('rect', { x, y, width: barWidth, height: barHeight, fill, 'fill-opacity': 0.45 }, hover(`${label} ms`)),
    )
    const labelWidth = label.length * letterWidth
    if (labelWidth < barWidth) {
      elements.push(text(x + 3, y + 13, label))
      continue
    }
    const labelX = Math.min(x, width - margin - labelWidth)
    const lane = firstFree(freeFrom, labelX)
    freeFrom[lane] = labelX + labelWidth
    const labelY = below + (lane + 1) * labelHeight
    elements.push(element('line', { x1: x + 0.5, x2: x + 0.5, y1: y + barHeight, y2: labelY - 9, stroke: fill }))
    labels.push(text(labelX, labelY, label, legible))
  }
  return { elements: [...elements, ...labels], bottom: below + freeFrom.length * labelHeight }
}

function firstFree(freeFrom: readonly number[], x: number): number {
  const lane = freeFrom.findIndex((free) => free <= x)
  return lane < 0 ? freeFrom.length : lane
}
