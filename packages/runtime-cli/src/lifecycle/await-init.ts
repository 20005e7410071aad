/** What init and the monitor say while the container is made, and the error when it cannot be. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { callText } from '@crio-lxc/core/plan/print'
import { type Record, readRecord } from '@crio-lxc/core/process/plan-record'
import type { Monitor } from './monitor.ts'
import { stepError } from './step-error.ts'
import { writeTerminationMessage } from './termination-message.ts'

export interface Waiting {
  readonly plan: Plan
  readonly command: string
  /** O_PATH fd of the file that says why init has failed. */
  readonly message: number | undefined
  readonly timeoutMs: number
}

/** Waits until init is ready for start, or waits at the gate. */
export function awaitInit(monitor: Monitor, { plan, command, message, timeoutMs }: Waiting): 'ready' | 'waiting' {
  const what = 'wait for the container to be ready'
  const read = (): Record => readRecord(monitor.reportRead, { timeoutMs, what, watch: () => monitor.checkAlive() })
  let record = read()
  for (; record.kind === 'forked'; record = read()) monitor.continueAs(record.pid)
  if (record.kind === 'ready' || record.kind === 'waiting') return record.kind
  if (record.kind === 'end') {
    const errors = monitor.lastErrors()
    throw new RuntimeError(
      'liblxc',
      errors ? `liblxc could not start the container: ${errors}` : 'the monitor ended before the container was ready',
    )
  }
  if (record.kind === 'listener')
    throw new RuntimeError('create-failed', 'init loaded linux.seccomp before it was started')
  const step = [...monitor.plans, plan].find(({ tag }) => tag === record.tag)?.steps[record.step]
  if (!step) throw new RuntimeError('create-failed', `init reported an unknown step ${record.step}`)
  const { errno } = record
  const error = stepError('create-failed', { what: step.what, call: callText(step), errno, command })
  if (message !== undefined) writeTerminationMessage(message, error)
  throw error
}
