import type { SpecBudget } from './measure-budget.ts'
import type { Cost } from './measured-runtime.ts'
import { type Circumstances, circumstances } from './report.ts'
import { median } from './statistics.ts'
import type { SystemCalls } from './system-calls.ts'
import { table } from './tables.ts'
import { type Budget, phases } from './trace-events.ts'

/** The measurement of `--budget` as Markdown: the phases of each spec, then crun beside it, then the system calls. */
export function formatBudget(where: Circumstances, specs: ReadonlyMap<string, SpecBudget>): string {
  return [...circumstances(where), '', ...phaseTable(specs), '', ...systemCallTable(specs)].join('\n')
}

function phaseTable(specs: ReadonlyMap<string, SpecBudget>): string[] {
  const budgets = [...specs.values()]
  const row = (label: string, pick: (budget: Budget) => number) => [
    label,
    ...budgets.map((spec) => median(spec.phases.map(pick)).toFixed(2)),
  ]
  const costs = (label: string, name: string, pick: (cost: Cost) => number) => [
    label,
    ...budgets.map(({ creates }) => median((creates.get(name) ?? []).map(pick)).toFixed(2)),
  ]
  const names = [...(budgets[0]?.creates.keys() ?? [])]
  return table(
    ['create, ms, median', ...specs.keys()],
    [
      ...phases.map((phase) => row(phase, (budget) => budget[phase])),
      row('in no phase', ({ unnamed }) => unnamed),
      row('**from the engine to the end, traced**', ({ whole }) => whole),
      ...names.map((name) => costs(`**${name}**, the whole process`, name, ({ ms }) => ms)),
      ...names.map((name) => costs(`${name}, on processors`, name, ({ cpuMs }) => cpuMs)),
    ],
  )
}

function systemCallTable(specs: ReadonlyMap<string, SpecBudget>): string[] {
  const rows = [...specs].flatMap(([spec, { systemCalls }]) =>
    [...systemCalls].map(([name, calls]) => [
      `${spec}: ${name}`,
      String(calls.processes),
      String(calls.calls),
      waits(calls),
    ]),
  )
  return table(['create under strace', 'processes', 'system calls', 'where its own process is in the kernel'], rows)
}

/** `read 52 % (12), wait4 20 % (1)`: shares, because strace makes everything slower. */
function waits({ waits: longest, ms }: SystemCalls): string {
  return longest.map((each) => `${each.name} ${((100 * each.ms) / ms).toFixed(0)} % (${each.calls})`).join(', ')
}
