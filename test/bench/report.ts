import { type LimitTimes, limitSteps } from './measure-limits.ts'
import type { Memory } from './measure-memory.ts'
import { type CycleTimes, commands } from './measured-runtime.ts'

/** Where and how often a run of the benchmark measured. */
export interface Circumstances {
  readonly rounds: number
  readonly date: string
  readonly machine: readonly string[]
  readonly timerOverheadMs: number
}

/** Everything one run of the benchmark measured, per runtime in the order of the columns. */
export interface Measurement extends Circumstances {
  readonly times: ReadonlyMap<string, readonly CycleTimes[]>
  readonly memory: ReadonlyMap<string, Memory>
}

/** The middle value, or the mean of the two in the middle; throws for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) throw new Error('no values to take the median of')
  return (lower + upper) / 2
}

/** The measurement as Markdown: what was measured where, the times, their ratios, the memory. */
export function formatReport(measurement: Measurement): string {
  return [...circumstances(measurement), '', ...timesTable(measurement), '', ...memoryTable(measurement)].join('\n')
}

/** The measurement of `--limits` as Markdown. */
export function formatLimits(where: Circumstances, times: ReadonlyMap<string, readonly LimitTimes[]>): string {
  const rows = limitSteps.map((step): Row<LimitTimes> => [step, (each) => each[step]])
  return [...circumstances(where), '', ...ratioTable(times, rows)].join('\n')
}

function circumstances({ rounds, date, machine, timerOverheadMs }: Circumstances): string[] {
  return [
    `Measured on ${date}: ${machine.join(', ')}. ${rounds} rounds after the warm-up; medians.`,
    `Starting and reaping an empty process costs the timer itself ${timerOverheadMs.toFixed(2)} ms, which is in every number.`,
  ]
}

function timesTable({ times }: Measurement): string[] {
  return ratioTable(times, [
    ...commands.map((command): Row<CycleTimes> => [command, (cycle) => cycle[command]]),
    ['**whole cycle**', (cycle) => commands.reduce((total, command) => total + cycle[command], 0)],
  ])
}

type Row<T> = readonly [label: string, pick: (sample: T) => number]

/** Medians in ms, then for each runtime but the last how many times as long the last one takes. */
function ratioTable<T>(times: ReadonlyMap<string, readonly T[]>, rows: readonly Row<T>[]): string[] {
  const names = [...times.keys()]
  const subject = names.at(-1)
  const others = names.filter((name) => name !== subject)
  const cells = ([label, pick]: Row<T>) => {
    const medians = new Map([...times].map(([name, samples]) => [name, median(samples.map(pick))]))
    const own = medians.get(subject ?? '') ?? Number.NaN
    const ratios = others.map((name) => (own / (medians.get(name) ?? Number.NaN)).toFixed(2))
    return [label, ...[...medians.values()].map((ms) => ms.toFixed(1)), ...ratios]
  }
  return table(['ms', ...names, ...others.map((name) => `${subject} / ${name}`)], rows.map(cells))
}

function memoryTable({ memory }: Measurement): string[] {
  return table(
    [
      'kB per container',
      'processes that stay',
      'their private memory',
      'files in the runtime directory',
      'init before start',
      'payload after start',
    ],
    [...memory].map(([name, { staying, stayingKb, filesKb, parkedKb, payloadKb }]) => [
      name,
      staying.length === 0 ? 'none' : staying.join(', '),
      ...[stayingKb, filesKb, parkedKb, payloadKb].map(String),
    ]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)]
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
