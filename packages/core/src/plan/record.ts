/**
 * The records that a plan's process writes to its report, 16 bytes each: struct failure of crio-lxc-init.c. Of a failure the
 * executor writes one, all others are written by steps of the plan.
 */
import type { Struct } from '../abi/bytes.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import type { Arg, Bytes, Plan, Slot, StepOptions } from './plan.ts'

export const RECORD_BYTES = 16

/** A step of the plan `tag` failed. */
export interface FailureRecord {
  readonly kind: 'failure'
  readonly tag: number
  readonly step: number
  readonly errno: number
}

export type PlanRecord =
  /** The plan has got as far as it promised. */
  | { readonly kind: 'ready' }
  /** Init waits until create has done its part. */
  | { readonly kind: 'waiting' }
  /** The plan goes on as this process, and the one before ends. */
  | { readonly kind: 'forked'; readonly pid: number }
  /** This child of the process' was killed at its birth (join-cgroup.ts). */
  | { readonly kind: 'stillborn'; readonly pid: number }
  /** The number of the seccomp listener in the process, which waits until an agent has it. */
  | { readonly kind: 'listener'; readonly listener: number }
  /** The times of the groups of the plan `tag` follow (group-times.ts). */
  | { readonly kind: 'times'; readonly tag: number }
  | FailureRecord

/** First words; that of a failure is the plan's tag (planTag), and 0 that of `ready` and `forked`. */
const LISTENER = 16
const WAITING = 17
const TIMES = 18
const STILLBORN = 19

/** Where the value is that a step puts into a record. */
const VALUE_OFFSET = 8

/** Of what one read(2) of `length` bytes has brought: undefined at the end of the file. `what` is waited for, in the words of the error. */
export function parseRecord(record: Struct, length: number, what: string): PlanRecord | undefined {
  if (length === 0) return undefined
  // Writes of this size to a pipe are atomic (pipe(7)): a record comes whole, or it is none.
  if (length < RECORD_BYTES) throw unknownRecord(what)
  const [tag, second, value] = [record.u32(0), record.u32(4), record.u32(VALUE_OFFSET)]
  if (tag === 0) return value === 0 ? { kind: 'ready' } : { kind: 'forked', pid: value }
  if (tag === WAITING) return { kind: 'waiting' }
  if (tag === TIMES) return { kind: 'times', tag: second }
  if (tag === STILLBORN) return { kind: 'stillborn', pid: value }
  if (tag === LISTENER) return { kind: 'listener', listener: value }
  return { kind: 'failure', tag, step: second, errno: value }
}

/** Whoever can trace a process of the container's may write to its pipe. */
export function unknownRecord(what: string): RuntimeError {
  return new RuntimeError('io', `${what}: the report is not one of the plan's: it is forged`)
}

export function planReportReady(plan: Plan, what: string, report: Arg): void {
  planReport(plan, what, report, recordOf(plan, 'ready', 0))
}

export function planReportWaiting(plan: Plan, what: string, report: Arg): void {
  planReport(plan, what, report, recordOf(plan, 'waiting', WAITING))
}

/** A record that the step completes whose result `value` takes. */
export interface OpenRecord {
  readonly record: Bytes
  readonly value: Slot
}

/** `forked`, for the step that knows the pid. */
export function pidRecord(plan: Plan): OpenRecord {
  return open(plan, recordOf(plan, 'pid', 0))
}

/** `stillborn`, for the step that forks. */
export function stillbornRecord(plan: Plan): OpenRecord {
  return open(plan, recordOf(plan, 'stillborn', STILLBORN))
}

/** `listener`, for the step that makes it. */
export function listenerRecord(plan: Plan): OpenRecord {
  return open(plan, recordOf(plan, 'listener', LISTENER))
}

/** `times`, with `length` bytes for them behind it. */
export function timesRecord(plan: Plan, length: number): Bytes {
  return recordOf(plan, 'times', TIMES, { second: plan.tag, length })
}

/** One write(2), which is atomic (pipe(7)): what belongs to the record comes with it. */
export function planReport(plan: Plan, what: string, report: Arg, record: Bytes, options?: StepOptions): void {
  plan.step(what, 'write', [report, record, record.length], options)
}

function open(plan: Plan, record: Bytes): OpenRecord {
  return { record, value: plan.wordAt(record, VALUE_OFFSET) }
}

function recordOf(plan: Plan, name: string, tag: number, { second = 0, length = 0 } = {}): Bytes {
  return plan.struct(
    RECORD_BYTES + length,
    () => `{${name}}`,
    (view, at) => {
      view.setUint32(at, tag, true)
      view.setUint32(at + 4, second, true)
    },
  )
}
