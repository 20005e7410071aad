/** What a process that enters a running container says on its way, and the error when it does not arrive. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import { hasExecuted, isAlive, type ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { callText } from '@crio-lxc/core/plan/print'
import { type FailureRecord, unknownRecord } from '@crio-lxc/core/plan/record'
import { listenerMissing } from '../caller/seccomp-listener.ts'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import { stepError } from '../plan-process/step-error.ts'

export interface Entering {
  readonly executor: ExecutorProcess
  /** undefined: for ever. */
  readonly timeoutMs: number | undefined
  readonly command: string
  /** The container's, without which there is nothing to enter. */
  readonly init: ProcessIdentity
  /** Given when the plan reports its times. */
  readonly trace: ProcessTrace | undefined
  /** It is in the container and has this pid on the host. */
  readonly onArrived: (pid: number) => void
  /** The kernel refuses to execute the program; the process says why and ends when the report is closed. */
  readonly onRefused: (pid: number, errno: number) => void
  /** Hands a seccomp listener to its agent; undefined when the filter has none. */
  readonly onListener: ((pid: number, listener: number) => void) | undefined
}

/**
 * Waits until the program is executed, or refused by the kernel; false when the process or init ended on the way. Throws the error of a step that
 * failed, or of what it calls. An exec that failed leaves no process.
 */
export function awaitExecution(entering: Entering): boolean {
  return entering.executor.endUnless(() => readReport(entering))
}

/** Reads to the end of file, as parent and child write in no certain order. Whatever the plan does not report is forged. */
function readReport(entering: Entering): boolean {
  const { executor, timeoutMs, command, init, trace, onArrived, onRefused, onListener } = entering
  const { plan } = executor
  const what = `execute ${command}`
  let failure: FailureRecord | undefined
  let listener: number | undefined
  // Who traces it may keep the pipe open.
  const watch = (): RuntimeError | undefined => {
    if (!executor.hasEnded()) return undefined
    return failure ? failureOf(failure, plan, command) : killed(what)
  }
  let handedOver = onListener === undefined
  for (const record of executor.records({ timeoutMs, what, watch })) {
    if (record.kind === 'forked') {
      if (executor.hasArrived) onArrived(executor.pid)
    } else if (record.kind === 'times' && trace) trace.add(record.tag === plan.tag ? plan : undefined, executor, what)
    else if (record.kind === 'failure' && !failure && record.tag === plan.tag) failure = record
    else if (record.kind === 'listener' && onListener && listener === undefined) listener = record.listener
    else throw unknownRecord(what)
    if (listener !== undefined && executor.hasArrived && !handedOver) {
      onListener?.(executor.pid, listener)
      handedOver = true
    }
    if (failure && plan.steps[failure.step]?.role === 'tell-of-child') break
    if (failure && executor.hasArrived && plan.steps[failure.step]?.role === 'execute') {
      onRefused(executor.pid, failure.errno)
      return true
    }
  }
  // The pid namespace, in which nobody can be born any more, has ended with init, or the cgroup was removed.
  if (failure && !isAlive(init)) return false
  if (failure) throw failureOf(failure, plan, command)
  trace?.end(() => ({ pid: executor.pid, name: command }))
  if (executor.hasArrived && !handedOver) throw listenerMissing(what)
  // End of file is what execve and the end of the process have in common.
  if (executor.hasArrived && !hasExecuted(executor.pid)) throw killed(what)
  return executor.hasArrived
}

function killed(what: string): RuntimeError {
  return new RuntimeError('exec-failed', `${what}: the process was killed`)
}

function failureOf({ step: number, errno }: FailureRecord, plan: Plan, command: string): RuntimeError {
  const step = plan.steps[number]
  if (!step) return unknownRecord(`execute ${command}`)
  return stepError('exec-failed', step, { call: callText(step), errno, command })
}
