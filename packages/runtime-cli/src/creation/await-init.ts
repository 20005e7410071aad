/** What init and the monitor say while the container is made, and the error when it cannot be. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { callText } from '@crio-lxc/core/plan/print'
import { type Record, readRecord, unknownRecord } from '@crio-lxc/core/process/plan-record'
import { writeTerminationMessage } from '../caller/termination-message.ts'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import { stepError } from '../plan-process/step-error.ts'
import type { Monitor } from './monitor.ts'

export interface Waiting {
  readonly plan: Plan
  readonly command: string
  /** O_PATH fd of the file that says why init has failed. */
  readonly message: number | undefined
  readonly timeoutMs: number
  /** Given when the plans report their times. */
  readonly trace: ProcessTrace | undefined
}

/** Waits until init waits at the gate, or is ready for start. Throws RuntimeError for any other end, and for a record too many. */
export function awaitInit(
  monitor: Monitor,
  expected: 'waiting' | 'ready',
  { plan, command, message, timeoutMs, trace }: Waiting,
): void {
  const what = 'wait for the container to be ready'
  const read = (): Record => readRecord(monitor.reportRead, { timeoutMs, what, watch: () => monitor.death() })
  const planOf = (tag: number): Plan | undefined => [...monitor.plans, plan].find((each) => each.tag === tag)
  let record = read()
  for (; ; record = read()) {
    if (record.kind === 'forked') monitor.continueAs(record.pid, what)
    else if (record.kind === 'times' && trace) trace.add(planOf(record.tag), monitor.reportRead, what)
    else break
  }
  if (record.kind === expected) return
  if (record.kind === 'end') {
    const errors = monitor.lastErrors()
    throw new RuntimeError(
      'liblxc',
      errors ? `liblxc could not start the container: ${errors}` : 'the monitor ended before the container was ready',
    )
  }
  if (record.kind !== 'failure') throw unknownRecord(what)
  const { tag, step: number, errno } = record
  const step = planOf(tag)?.steps[number]
  if (!step) throw unknownRecord(what)
  const error = stepError('create-failed', step, { call: callText(step), errno, command })
  if (message !== undefined) writeTerminationMessage(message, error)
  throw error
}
