/** The records that crio-lxc-init writes: 16 bytes each, struct failure of crio-lxc-init.c. */
import { Struct } from '../abi/bytes.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { LISTENER_TAG, TIMES_TAG, WAITING_TAG } from '../plan/plan.ts'
import { poll, read } from '../sys/fd.ts'
import { monotonicMs } from '../sys/program.ts'

export const RECORD_BYTES = 16

export type Record =
  /** The plan has got as far as it promised. */
  | { readonly kind: 'ready' }
  /** It waits until create has done its part. */
  | { readonly kind: 'waiting' }
  /** It goes on as this process, and the one before ends. */
  | { readonly kind: 'forked'; readonly pid: number }
  | StepRecord
  /** The number of the seccomp listener in the process, which waits until an agent has it. */
  | { readonly kind: 'listener'; readonly listener: number }
  /** The times of a plan's groups follow, read by ProcessTrace. */
  | { readonly kind: 'times'; readonly tag: number }
  | { readonly kind: 'end' }

/** A step of the plan `tag` failed. */
export interface StepRecord {
  readonly kind: 'failure'
  readonly tag: number
  readonly step: number
  readonly errno: number
}

export interface ReadOptions {
  /** undefined: wait for ever. */
  readonly timeoutMs: number | undefined
  /** When the time began, on the clock of monotonicMs(); default: now. */
  readonly from?: number
  /** What is waited for, in the words of the error. */
  readonly what: string
  /** Called now and then while nothing comes: the error when nothing can come any more. */
  readonly watch?: () => RuntimeError | undefined
}

const WATCH_MS = 500

/** The next record from the pipe; throws RuntimeError `timeout` after `timeoutMs`. */
export function readRecord(fd: number, { timeoutMs, from = monotonicMs(), what, watch }: ReadOptions): Record {
  const buffer = new Struct(RECORD_BYTES)
  const deadline = timeoutMs === undefined ? undefined : from + timeoutMs
  for (;;) {
    const left = deadline === undefined ? -1 : Math.max(0, Math.ceil(deadline - monotonicMs()))
    const mayWatch = watch !== undefined && (left < 0 || left > WATCH_MS)
    const [events = 0] = poll([fd], mayWatch ? WATCH_MS : left)
    if (events === 0 && mayWatch) {
      const death = watch()
      // Whoever has died may have reported before.
      if (death && poll([fd], 0)[0] === 0) throw death
      continue
    }
    if (events === 0) throw new RuntimeError('timeout', `${what}: it took longer than ${timeoutMs} ms`)
    const length = read(fd, buffer)
    if (length === 0) return { kind: 'end' }
    // Writes of this size to a pipe are atomic (pipe(7)): a record comes whole, or it is none.
    if (length < RECORD_BYTES) throw unknownRecord(what)
    return parseRecord(buffer)
  }
}

/** Whoever can trace a process of the container's may write to its pipe. */
export function unknownRecord(what: string): RuntimeError {
  return new RuntimeError('io', `${what}: the report is not one of the plan's: it is forged`)
}

export function parseRecord(buffer: Struct): Record {
  const tag = buffer.u32(0)
  const pid = buffer.u32(8)
  if (tag === 0) return pid === 0 ? { kind: 'ready' } : { kind: 'forked', pid }
  if (tag === WAITING_TAG) return { kind: 'waiting' }
  if (tag === TIMES_TAG) return { kind: 'times', tag: buffer.u32(4) }
  if (tag === LISTENER_TAG) return { kind: 'listener', listener: buffer.u32(8) }
  return { kind: 'failure', tag, step: buffer.u32(4), errno: buffer.u32(8) }
}
