import { type LimitTimes, limitSteps } from './measure-limits.ts'
import type { Memory } from './measure-memory.ts'
import { type Cycle, commands } from './measured-runtime.ts'
import { median, sum } from './statistics.ts'
import { type Row, table, timeTables } from './tables.ts'

/** Where and how often a run of the benchmark measured. */
export interface Circumstances {
  readonly rounds: number
  readonly date: string
  readonly machine: readonly string[]
  readonly timerOverheadMs: number
  /** The least that the timer can say of a process. */
  readonly timerPeakKb: number
}

/** The cycle of one bundle, per runtime in the order of the columns. */
export interface CycleMeasurement extends Circumstances {
  readonly cycles: ReadonlyMap<string, readonly Cycle[]>
}

/** Everything that a run without options measured. */
export interface Measurement extends CycleMeasurement {
  readonly memory: ReadonlyMap<string, Memory>
}

/** The measurement as Markdown: what was measured where, the times, their ratios, the memory. */
export function formatReport(measurement: Measurement): string {
  return [
    formatCycles(measurement),
    '',
    ...cpuTable(measurement),
    '',
    ...peakTable(measurement),
    '',
    ...memoryTable(measurement),
  ].join('\n')
}

/** The times of whole cycles, alone. */
export function formatCycles(measurement: CycleMeasurement): string {
  const rows: Row<Cycle>[] = [
    ...commands.map((command): Row<Cycle> => [command, (cycle) => cycle[command].ms]),
    ['**whole cycle**', (cycle) => sum(commands.map((command) => cycle[command].ms))],
  ]
  return [...circumstances(measurement), '', ...timeTables(measurement.cycles, rows)].join('\n')
}

/** The measurement of `--limits` as Markdown. */
export function formatLimits(where: Circumstances, times: ReadonlyMap<string, readonly LimitTimes[]>): string {
  const rows = limitSteps.map((step): Row<LimitTimes> => [step, (each) => each[step]])
  return [...circumstances(where), '', ...timeTables(times, rows)].join('\n')
}

export function circumstances({ rounds, timerOverheadMs, ...where }: Circumstances): string[] {
  return [
    `${measuredOn(where)} ${rounds} rounds after the warm-up.`,
    `Starting and reaping an empty process costs the timer itself ${timerOverheadMs.toFixed(2)} ms, which is in every number.`,
  ]
}

export function measuredOn({ date, machine }: Pick<Circumstances, 'date' | 'machine'>): string {
  return `Measured on ${date}: ${machine.join(', ')}.`
}

function cpuTable({ cycles }: Measurement): string[] {
  const parts = [...commands, 'init'] as const
  const rows = [...cycles].map(([name, samples]) => {
    const each = parts.map((part) => median(samples.map((cycle) => cycle[part].cpuMs)))
    return [name, ...[...each, sum(each)].map((ms) => ms.toFixed(1))]
  })
  return table(['ms on processors, median', ...commands, 'the container itself', 'together'], rows)
}

function peakTable({ cycles, timerPeakKb }: Measurement): string[] {
  const peaks = [...cycles].map(([name, samples]) => [
    name,
    ...commands.map((command) => median(samples.map((cycle) => cycle[command].peakKb)).toFixed(0)),
  ])
  return table([`peak of a command, kB; at least ${timerPeakKb}`, ...commands], peaks)
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
