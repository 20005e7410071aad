/**
 * The same inputs in the engine, built with sanitizers: no report of theirs, no defect, and what becomes of each is what
 * became of it on Node; those that exhaust memory may do so in one engine alone.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { buildProgram } from '../../scripts/engine.ts'
import { sanitizedTarget, type Target } from '../../scripts/engine-target.ts'
import { exhaustingInput, exhaustingNames } from './exhausting.ts'
import { encodeFrame } from './frame.ts'
import { type Input, inputOf, type Outcome } from './fuzz-inputs.ts'
import { otherInputs } from './other-inputs.ts'

/** Documents that one process reads: one that fails because of those before it is found again among so many. */
const BATCH = 500
/** Without a word for so long, a process is over; a document that is to exhaust it has more time. */
const HANG_MS = 300_000
const HANG_MS_OF_EXHAUSTING = 900_000

const environment = {
  // The process ends with the context, and what that holds. Stacks of every block would take a tenth of the time.
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=64:malloc_context_size=0',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
}

export interface EngineRun {
  readonly seed: number
  /** Numbers of inputs, those below 0 made to exhaust. */
  readonly indexes: readonly number[]
  /** What became of input 0, 1 and so on. */
  readonly onNode: readonly Outcome[]
  /** Processes at a time. */
  readonly jobs: number
  /** Told of each document that is not as it should be; returns whether to go on. */
  readonly fail: (problem: string) => boolean
  /** Told how many documents more are done. */
  readonly reached?: (count: number) => void
}

/** Those made to exhaust the runtime, by their numbers. */
export const exhaustingIndexes = exhaustingNames.map((_, position) => -1 - position)

export async function fuzzEngine(run: EngineRun, target: Target = sanitizedTarget()): Promise<void> {
  const program = await buildFuzzer(target)
  const batches = batchesOf(run.indexes).values()
  const work = async (): Promise<void> => {
    for (const batch of batches) {
      await runBatch(program, batch, run)
      run.reached?.(batch.length)
    }
  }
  await Promise.all(Array.from({ length: run.jobs }, work))
}

async function buildFuzzer(target: Target): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-fuzz-'))
  try {
    await bundleFuzzer(directory)
    return buildProgram(directory, 'fuzz.js', target)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The program of the engine, fuzz.js in `directory`, which loads nothing by name but what no document leads to. */
export async function bundleFuzzer(directory: string): Promise<void> {
  await build({
    entryPoints: { fuzz: join(import.meta.dirname, 'engine-program.ts') },
    outdir: directory,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    define: { BUNDLED: 'true' },
    // bunyan's, and loaded by name when a log file is opened: nothing here opens one.
    external: ['./seed-sink.ts'],
  })
}

/** A document made to exhaust has a process of its own. */
function batchesOf(indexes: readonly number[]): number[][] {
  const batches = indexes.filter((index) => index < 0).map((index) => [index])
  const others = indexes.filter((index) => index >= 0)
  for (let at = 0; at < others.length; at += BATCH) batches.push(others.slice(at, at + BATCH))
  return batches
}

/** A document that fails is the last of its process: those behind it get a new one. */
async function runBatch(program: string, batch: readonly number[], run: EngineRun): Promise<void> {
  for (let left = batch; left.length > 0; ) {
    const { done, problem } = await runProcess(program, left, run)
    if (problem === undefined) return
    const { seed } = run
    const before = left.slice(0, done).filter((index) => index !== left[done]).length
    if (!run.fail(`input ${left[done]} of seed ${seed} in the engine, after ${before} others: ${problem}`))
      process.exit()
    left = left.slice(done + 1)
  }
}

/** How many of the documents were as they should be, and what is wrong with the next one. */
async function runProcess(
  program: string,
  batch: readonly number[],
  { seed, onNode }: EngineRun,
): Promise<{ done: number; problem?: string }> {
  const child = spawn(program, [], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] })
  const status = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
  const hangMs = (batch[0] as number) < 0 ? HANG_MS_OF_EXHAUSTING : HANG_MS
  const watch = setTimeout(() => child.kill('SIGKILL'), hangMs)
  // One that has ended reads no more; its status says so.
  child.stdin.on('error', () => undefined)
  const documents = batch.map((index) => documentOf(seed, index))
  child.stdin.end(Buffer.concat(batch.map((index, position) => encodeFrame(index, documents[position] as Input))))
  let done = 0
  try {
    for await (const line of createInterface(child.stdout)) {
      const index = batch[done] as number
      const problem = problemOf(
        JSON.parse(line),
        index < 0 ? undefined : onNode[index],
        (documents[done] as Input).file,
      )
      if (problem !== undefined) return { done, problem }
      done += 1
      watch.refresh()
    }
  } finally {
    clearTimeout(watch)
    child.kill('SIGKILL')
  }
  const ended = await status
  return done === batch.length && ended === 0 ? { done } : { done, problem: `it has ended with ${ended}` }
}

function documentOf(seed: number, index: number): Input {
  return index < 0 ? exhaustingInput(index) : inputOf(seed, index)
}

type Line = readonly [index: number, kind: string, result: string | null, defect: string | null]

function problemOf([, kind, result, defect]: Line, onNode: Outcome | undefined, file: string): string | undefined {
  if (defect) return defect
  if (onNode === undefined || otherInputs[file]?.own) return undefined
  const [here, there] = [`${kind} ${result ?? ''}`, `${onNode.kind} ${onNode.result ?? ''}`]
  return here === there ? undefined : `${here}\nbut on Node: ${there}`
}
