/** What init and the monitor say while the container is made, and the error when it cannot be. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { callText } from '@crio-lxc/core/plan/print'
import { unknownRecord } from '@crio-lxc/core/plan/record'
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
  const { process } = monitor
  const what = 'wait for the container to be ready'
  const planOf = (tag: number): Plan | undefined => [...monitor.plans, plan].find((each) => each.tag === tag)
  for (const record of process.records({ timeoutMs, what, watch: () => monitor.death() })) {
    if (record.kind === 'forked') continue
    if (record.kind === 'times' && trace) {
      trace.add(planOf(record.tag), process, what)
      continue
    }
    if (record.kind === expected) {
      process.reapForked()
      return
    }
    if (record.kind !== 'failure') throw unknownRecord(what)
    const step = planOf(record.tag)?.steps[record.step]
    if (!step) throw unknownRecord(what)
    const error = stepError('create-failed', step, { call: callText(step), errno: record.errno, command })
    if (message !== undefined) writeTerminationMessage(message, error)
    throw error
  }
  const errors = monitor.lastErrors()
  throw new RuntimeError(
    'liblxc',
    errors ? `liblxc could not start the container: ${errors}` : 'the monitor ended before the container was ready',
  )
}
