/**
 * One call, one thread: its umask is its own, what it waits for blocks nobody else, and its children are told from those
 * of other calls (docs/adr/0014-one-thread-per-call.md).
 */
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { close, eventfd, write } from '@crio-lxc/core/sys/fd'
import { type Failure, toError } from './failure.ts'
import type { LogOptions } from './options.ts'
import type { verbs } from './verbs.ts'

type Verbs = typeof verbs
type Verb = keyof Verbs
type Given<Name extends Verb> = Verbs[Name] extends (...args: infer Args) => unknown ? Args : never

/** What the thread is given. */
export interface Call {
  readonly verb: Verb
  readonly args: readonly unknown[]
  readonly libexec: string
  readonly log: (LogOptions & { readonly containerId: string }) | undefined
  /** eventfd(2) that has input when the caller gives up. */
  readonly interrupt: number
  /** One word, which is 1 when the call is over. */
  readonly over: SharedArrayBuffer
}

/** What it answers, once. */
export type Answer = { readonly value: unknown } | { readonly failure: Failure }

export type Circumstances = Pick<Call, 'libexec' | 'log'> & { readonly signal: AbortSignal | undefined }

/** How long the end of the process waits for what is under way to be undone. */
const UNDO_MS = 15_000

interface Pending {
  interrupt(): void
  readonly over: Int32Array
}
const pending = new Set<Pending>()

/** process.exit() ends threads in the middle of what they do. */
function endAll(): void {
  for (const each of pending) each.interrupt()
  for (const { over } of pending) Atomics.wait(over, 0, 0, UNDO_MS)
}

/** Rejects with the reason of `signal`, once the call has been undone. */
export function inThread<Name extends Verb>(
  verb: Name,
  args: Given<Name>,
  { libexec, log, signal }: Circumstances,
): ReturnType<Verbs[Name]> {
  const caller = new Error()
  return run({ verb, args, libexec, log }, caller, signal) as ReturnType<Verbs[Name]>
}

async function run(
  call: Omit<Call, 'interrupt' | 'over'>,
  caller: Error,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  signal?.throwIfAborted()
  const interrupt = eventfd()
  const over = new SharedArrayBuffer(4)
  const each: Pending = {
    interrupt: () => write(interrupt, new Uint8Array(BigUint64Array.of(1n).buffer)),
    over: new Int32Array(over),
  }
  if (pending.size === 0) process.on('exit', endAll)
  pending.add(each)
  signal?.addEventListener('abort', each.interrupt)
  try {
    const answer = await answerOf({ ...call, interrupt, over })
    if ('value' in answer) return answer.value
    throw signal?.aborted ? signal.reason : toError(answer.failure, caller)
  } finally {
    signal?.removeEventListener('abort', each.interrupt)
    pending.delete(each)
    if (pending.size === 0) process.off('exit', endAll)
    close(interrupt)
  }
}

/** Returns when the thread has ended: nothing of it uses the eventfd any more. */
function answerOf(call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined
    let failure: Error | undefined
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: call, execArgv: [] })
    worker.on('message', (message: Answer) => {
      answer = message
    })
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('exit', () => {
      if (answer) resolve(answer)
      else reject(failure ?? new Error(`internal error: the thread of ${call.verb} ended without an answer`))
    })
  })
}
