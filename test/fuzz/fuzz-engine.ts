/**
 * The same inputs in the engine, built with sanitizers: no report of theirs, no defect, and what becomes of each is what
 * becomes of it on Node; those that exhaust memory may do so in one engine alone.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { buildProgram } from '../../scripts/engine.ts'
import { sanitizedTarget, type Target } from '../../scripts/engine-target.ts'
import { exhaustingNames } from './exhausting.ts'
import { inputOf, outcomeOf } from './fuzz-inputs.ts'

/** Without a word for so long, a process is over. */
const HANG_MS = 900_000

const environment = {
  // The process ends with the context, and what that holds.
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=64:malloc_context_size=8',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
}

/** Those made to exhaust the runtime first, then `inputs` at random. Throws at the first that is not as it should be. */
export async function fuzzEngine(seed: number, inputs: number, target: Target = sanitizedTarget()): Promise<void> {
  const program = await buildFuzzer(target)
  const processes = availableParallelism()
  await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      runSlice(program, { seed, first: index - exhaustingNames.length, step: processes, end: inputs }),
    ),
  )
}

async function buildFuzzer(target: Target): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-fuzz-'))
  try {
    await build({
      entryPoints: { fuzz: join(import.meta.dirname, 'engine-program.ts') },
      outdir: directory,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2023',
      define: { BUNDLED: 'true' },
    })
    return buildProgram(directory, 'fuzz.js', target)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

interface Slice {
  readonly seed: number
  readonly first: number
  readonly step: number
  readonly end: number
}

async function runSlice(program: string, { seed, first, step, end }: Slice): Promise<void> {
  const child = spawn(program, [seed, first, step, end].map(String), {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const status = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
  let next = first
  let watch: NodeJS.Timeout | undefined
  try {
    for await (const line of createInterface(child.stdout)) {
      clearTimeout(watch)
      watch = setTimeout(() => child.kill('SIGKILL'), HANG_MS)
      const [index, kind, defect] = JSON.parse(line) as [number, string, string | null]
      const onNode = index < 0 ? kind : outcomeOf(inputOf(seed, index)).kind
      if (defect) throw new Error(`input ${index} of seed ${seed} in the engine: ${defect}`)
      if (kind !== onNode) throw new Error(`input ${index} of seed ${seed}: ${kind}\nbut on Node: ${onNode}`)
      next = index + step
    }
  } finally {
    clearTimeout(watch)
    child.kill('SIGKILL')
  }
  if ((await status) !== 0) throw new Error(`input ${next} of seed ${seed}: the engine has ended with ${await status}`)
}
