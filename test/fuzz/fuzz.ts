/**
 * npm run fuzz -- [--inputs N] [--seed S] [--from INDEX] [--only INDEX] [--keep-going] [--in-engine N] [--jobs N]: documents that are valid,
 * nearly valid and nothing like it, through everything that is computed from them. Ends with status 1 at the first one with
 * a defect, printed with its seed, its number and its smallest form. The first N of them run once more in the engine,
 * with sanitizers, as many processes at a time as there are processors or `--jobs` says.
 */
import { writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { decode } from '@crio-lxc/core/abi/bytes'
import { inputOf, type Outcome, outcomeOf, shrink } from './fuzz-inputs.ts'

/** Inputs between two lines that say how far it is. */
const STAGE = 20_000
/** Without an end of an input for so long, the run is over. */
const HANG_MS = 60_000

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    'in-engine': { type: 'string', default: '100000' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
})
const seed = Number(values.seed)
const first = Number(values.only ?? values.from)
const end = first + (values.only === undefined ? Number(values.inputs) : 1)
const inEngine = Math.min(Number(values['in-engine']), end - first)

/** Returns whether to go on. */
function fail(problem: string): boolean {
  writeSync(2, `${problem}\n`)
  process.exitCode = 1
  return values['keep-going']
}

/** Which input is at work, for the thread that watches: an endless loop could not tell. */
const progress = new Int32Array(new SharedArrayBuffer(4))
const watch = new Worker(new URL('watch.ts', import.meta.url), { workerData: { progress, seed, hangMs: HANG_MS } })
watch.unref()

const kinds = new Map<string, number>()
/** Of those that run in the engine as well. */
const outcomes: Outcome[] = []
let started = performance.now()
for (let index = first; index < end; index++) {
  Atomics.store(progress, 0, index + 1)
  if (index > first && (index - first) % STAGE === 0)
    console.log(`  ${index - first} of ${end - first} inputs in ${seconds()} s`)
  const input = inputOf(seed, index)
  const outcome = outcomeOf(input)
  const { kind, defect } = outcome
  if (index < first + inEngine) outcomes[index] = outcome
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  if (defect === undefined) continue
  const smallest = shrink(input)
  const decoded = typeof smallest === 'string' ? smallest : decode(smallest)
  const text = decoded.isWellFormed() ? decoded : Buffer.from(smallest).toString('base64')
  const again = `again: npm run fuzz -- --seed ${seed} --only ${index}`
  if (!fail(`input ${index} of seed ${seed}, ${input.file}: ${defect}\n${text.slice(0, 20_000)}\n${again}`))
    process.exit()
}
const accepted = kinds.get('accepted') ?? 0
console.log(
  `${end - first} inputs from ${first} of seed ${seed} in ${seconds()} s: ${accepted} accepted, ${kinds.size - 1} different refusals`,
)
if (inEngine > 0) {
  // Only now: it needs a compiler.
  const { exhaustingIndexes, fuzzEngine } = await import('./fuzz-engine.ts')
  Atomics.store(progress, 0, 0)
  await watch.terminate()
  started = performance.now()
  const indexes = [
    ...(values.only === undefined && first === 0 ? exhaustingIndexes : []),
    ...Array.from({ length: inEngine }, (_, position) => first + position),
  ]
  let read = 0
  const reached = (count: number): void => {
    if (Math.floor((read + count) / STAGE) > Math.floor(read / STAGE))
      console.log(`  ${read + count} of ${indexes.length} in the engine in ${seconds()} s`)
    read += count
  }
  await fuzzEngine({ seed, indexes, onNode: outcomes, jobs: Number(values.jobs), fail, reached })
  if (!process.exitCode)
    console.log(
      `${indexes.length} of them in the engine, with sanitizers, in ${seconds()} s: no report, and the same outcome`,
    )
}
process.exit()

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(1)
}
