/**
 * npm run fuzz -- [--inputs N] [--seed S] [--only INDEX] [--keep-going] [--in-engine N]: documents that are valid, nearly valid and nothing like it,
 * through everything that is computed from config.json. Ends with status 1 at the first one with a defect, printed with
 * its seed, its number and its smallest form. The first N of them run once more in the engine, with sanitizers.
 */
import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { inputOf, outcomeOf, shrink } from './fuzz-inputs.ts'

/** Without an end of an input for so long, the run is over. */
const HANG_MS = 60_000

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    'in-engine': { type: 'string', default: '100000' },
  },
})
const seed = Number(values.seed)
const first = Number(values.only ?? 0)
const end = values.only === undefined ? Number(values.inputs) : first + 1

/** Which input is at work, for the thread that watches: an endless loop could not tell. */
const progress = new Int32Array(new SharedArrayBuffer(4))
const watch = new Worker(new URL('watch.ts', import.meta.url), { workerData: { progress, seed, hangMs: HANG_MS } })
watch.unref()

const kinds = new Map<string, number>()
const started = performance.now()
for (let index = first; index < end; index++) {
  Atomics.store(progress, 0, index + 1)
  const input = inputOf(seed, index)
  const { kind, defect } = outcomeOf(input)
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  if (defect !== undefined) {
    const smallest = shrink(input)
    const text = typeof smallest === 'string' ? smallest : Buffer.from(smallest).toString('base64')
    writeSync(
      2,
      `input ${index} of seed ${seed}: ${defect}\n${text.slice(0, 20_000)}\nagain: npm run fuzz -- --seed ${seed} --only ${index}\n`,
    )
    process.exitCode = 1
    if (!values['keep-going']) process.exit()
  }
}
const seconds = (performance.now() - started) / 1000
const accepted = kinds.get('accepted') ?? 0
console.log(
  `${end - first} inputs of seed ${seed} in ${seconds.toFixed(1)} s: ${accepted} accepted, ${kinds.size - 1} different refusals`,
)
const inEngine = values.only === undefined ? Number(values['in-engine']) : 0
if (inEngine > 0) {
  // Only now: it needs a compiler.
  const { fuzzEngine } = await import('./fuzz-engine.ts')
  Atomics.store(progress, 0, 0)
  await watch.terminate()
  await fuzzEngine(seed, inEngine)
  console.log(`${inEngine} of them in the engine, and those that exhaust: no report, and the same outcome`)
}
process.exit()
