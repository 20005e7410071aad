/**
 * The fuzzer as a program of the engine, `SEED FIRST STEP END`: a line of JSON, [number, kind, defect], for each input. Those
 * before 0 are made to exhaust the runtime.
 */
import { writeAll } from '@crio-lxc/core/sys/fd'
import { programArguments } from '@crio-lxc/core/sys/program'
import { exhaustingInput } from './exhausting.ts'
import { inputOf, outcomeOf } from './fuzz-inputs.ts'

const STDOUT = 1
/** Sanitizers make it slow; an input without an end is the caller's to see. */
const MOST_CPU_MS = 300_000

const [seed = 0, first = 0, step = 1, end = 0] = programArguments.map(Number)
for (let index = first; index < end; index += step) {
  const { kind, defect } = outcomeOf(index < 0 ? exhaustingInput(index) : inputOf(seed, index), MOST_CPU_MS)
  writeAll(STDOUT, `${JSON.stringify([index, kind, defect])}\n`)
}
