/** Where the time of create goes, phase by phase, beside crun's for the same spec. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Cost, createProven, forceDelete, type MeasuredRuntime } from './measured-runtime.ts'
import { type SystemCalls, traceCreate } from './system-calls.ts'
import { type Budget, budgetOf, readTrace, type Trace } from './trace-events.ts'
import { id, type Workbench } from './workbench.ts'

/** One spec: samples of every runtime that is not traced, and crio-lxc's phases. */
export interface SpecBudget {
  readonly creates: ReadonlyMap<string, readonly Cost[]>
  readonly phases: readonly Budget[]
  readonly systemCalls: ReadonlyMap<string, SystemCalls>
}

/** The creates of one bundle in alternation, traced and not; then one of each runtime under strace. */
export async function measureBudget(bench: Workbench, bundle: string): Promise<SpecBudget> {
  const runtimes = bench.runtimes.filter(({ name }) => name !== 'runc').map((runtime) => ({ ...runtime, bundle }))
  const tracing = tracingVariant(bench, bundle)
  const samples = await bench.inRounds(
    async (runtime) => ({
      cost: await timeCreate(runtime),
      budget: runtime === tracing.runtime ? budgetOf(tracing.take()) : undefined,
    }),
    [...runtimes, tracing.runtime],
  )
  const systemCalls = new Map<string, SystemCalls>()
  for (const runtime of runtimes) systemCalls.set(runtime.name, await traceCreate(runtime, id))
  const traced = samples.get(tracing.runtime.name) ?? []
  return {
    creates: new Map(runtimes.map(({ name }) => [name, (samples.get(name) ?? []).map(({ cost }) => cost)])),
    phases: traced.flatMap(({ budget }) => budget ?? []),
    systemCalls,
  }
}

/** Traces of a few creates of the benchmark's bundle, the first ones left out. */
export async function traceCreates(bench: Workbench): Promise<Trace[]> {
  const { runtime, take } = tracingVariant(bench, bench.bundle)
  const traces = await bench.inRounds(async () => {
    await timeCreate(runtime)
    return take()
  }, [runtime])
  return traces.get(runtime.name) ?? []
}

/** crio-lxc --trace, and what takes the trace of its last call. */
function tracingVariant(bench: Workbench, bundle: string): { runtime: MeasuredRuntime; take: () => Trace } {
  const file = join(bench.directory, 'trace')
  return {
    runtime: { ...bench.variant(bench.subject, '--trace', file), bundle },
    take() {
      const trace = readTrace(file)
      rmSync(file)
      return trace
    },
  }
}

/** A create that has made a container, which is gone afterwards. */
async function timeCreate(runtime: MeasuredRuntime): Promise<Cost> {
  const { timing, container } = await createProven(runtime, id)
  await forceDelete({ ...runtime, argv: runtime.argv.filter((_, index) => index === 0) }, id)
  await runtime.timer.reap(container.pid)
  return timing
}
