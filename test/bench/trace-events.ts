/** What `crio-lxc --trace FILE` writes (docs/debugging.md), as far as the pictures and the budget need it. */
import { readFileSync } from 'node:fs'

/** A complete event; microseconds. */
export interface Span {
  readonly name: string
  readonly cat: string
  readonly pid: number
  readonly ts: number
  readonly dur: number
}

export interface Trace {
  readonly spans: readonly Span[]
  /** Names of the processes by pid, in the order of the file. */
  readonly processes: ReadonlyMap<number, string>
}

interface Event extends Span {
  readonly ph: string
  readonly args?: { readonly name?: string }
}

/** The array need not end: so says the format. */
export function readTrace(path: string): Trace {
  const events = JSON.parse(`${readFileSync(path, 'utf8').replace(/,\n$/, '')}]`) as Event[]
  const named = events.filter(({ ph, name }) => ph === 'M' && name === 'process_name')
  return {
    spans: events.filter(({ ph }) => ph === 'X'),
    processes: new Map(named.map(({ pid, args }) => [pid, args?.name ?? ''])),
  }
}

/** The phases of create, in their order; what comes before them is the start of the program. */
export const phases = ['start', 'config', 'sources', 'cgroups', 'launch', 'plan', 'wait', 'publish'] as const
export type Phase = (typeof phases)[number]
export type Budget = Readonly<Record<Phase | 'unnamed' | 'whole', number>>

/** Milliseconds of each phase of a create, from the engine's start on, and what no phase covers. */
export function budgetOf({ spans }: Trace): Budget {
  const find = (cat: string, name: string): Span => {
    const span = spans.find((each) => each.cat === cat && each.name === name)
    if (span === undefined) throw new Error(`the trace has no span ${cat} ${name}`)
    return span
  }
  const engine = find('cli', 'engine')
  const create = find('cli', 'create')
  const before = spans.filter(({ cat, name, pid }) => cat === 'cli' && name !== 'create' && pid === engine.pid)
  const named = { start: total(before) } as Record<Phase, number>
  for (const phase of phases.slice(1)) named[phase] = find('create', phase).dur / 1000
  const whole = (create.ts + create.dur - engine.ts) / 1000
  return { ...named, whole, unnamed: whole - Object.values(named).reduce((sum, ms) => sum + ms, 0) }
}

function total(spans: readonly Span[]): number {
  return spans.reduce((sum, { dur }) => sum + dur, 0) / 1000
}
