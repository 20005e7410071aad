/** Markdown tables of what was measured, and the page that they are put into. */
import { median, tenthPercentile } from './statistics.ts'

/** A row of times: its label, and the milliseconds of one sample. */
export type Row<T> = readonly [label: string, pick: (sample: T) => number]

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)]
}

/** Medians in ms with ratios, then the same of the tenth percentiles. */
export function timeTables<T>(samples: ReadonlyMap<string, readonly T[]>, rows: readonly Row<T>[]): string[] {
  return [
    ...ratioTable('ms, median', samples, rows, median),
    '',
    ...ratioTable('ms, 10th percentile', samples, rows, tenthPercentile),
  ]
}

/** One number of each runtime, then for each but the last how many times as long the last one takes. */
function ratioTable<T>(
  head: string,
  samples: ReadonlyMap<string, readonly T[]>,
  rows: readonly Row<T>[],
  summary: (values: readonly number[]) => number,
): string[] {
  const names = [...samples.keys()]
  const subject = names.at(-1)
  const others = names.slice(0, -1)
  const cells = ([label, pick]: Row<T>) => {
    const values = new Map([...samples].map(([name, each]) => [name, summary(each.map(pick))]))
    const own = values.get(subject ?? '') ?? Number.NaN
    const ratios = others.map((name) => (own / (values.get(name) ?? Number.NaN)).toFixed(2))
    return [label, ...[...values.values()].map((ms) => ms.toFixed(1)), ...ratios]
  }
  return table([head, ...names, ...others.map((name) => `${subject} / ${name}`)], rows.map(cells))
}

/** The text with everything between the two marker lines replaced; throws when it has no such markers. */
export function replaceBetweenMarkers(text: string, name: string, replacement: string): string {
  const begin = `<!-- ${name}: begin -->`
  const end = `<!-- ${name}: end -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the markers ${begin} and ${end} are missing`)
  return `${text.slice(0, from + begin.length)}\n${replacement}\n${text.slice(to)}`
}
