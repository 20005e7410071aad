/** One hook as a process: the state on its stdin, its time, its end, and the words of its stderr. */

import { Struct } from '@crio-lxc/core/abi/bytes'
import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { errnoSentence } from '@crio-lxc/core/abi/errno'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { HookStart, HookState } from '@crio-lxc/core/hook/hook-request'
import { StderrExcerpt } from '@crio-lxc/core/hook/stderr-excerpt'
import { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import type { Hook } from '@crio-lxc/core/oci/spec'
import { fdsOf } from '@crio-lxc/core/plan/container-entry'
import { type Fork, forksIntoCgroup } from '@crio-lxc/core/plan/join-cgroup'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { callText } from '@crio-lxc/core/plan/print'
import { type FailureRecord, unknownRecord } from '@crio-lxc/core/plan/record'
import { close, pipe, poll, read, write } from '@crio-lxc/core/sys/fd'
import { type FdScope, withFds } from '@crio-lxc/core/sys/fd-scope'
import { sealedFile } from '@crio-lxc/core/sys/memfd'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { exit, kill, monotonicMs } from '@crio-lxc/core/sys/program'
import { openOwnNull } from '@crio-lxc/core/sys/shared-device'
import { type Exit, waitForEnded } from '@crio-lxc/core/sys/spawn'
import { arch as ownArch } from '@crio-lxc/core/sys/syscall'
import { type HookEntry, type HookFds, planHook } from '@crio-lxc/init/hook-plan'

export interface HookCall {
  readonly hook: Hook
  /** Field and path, the beginning of a sentence. */
  readonly name: string
  readonly state: HookState
  readonly container: HookEntry | undefined
  /** crio-lxc-init. */
  readonly executor: string
  /** Joining a cgroup and namespaces is a matter of milliseconds, unless the cgroup is frozen or somebody stops the process. */
  readonly enterMs: number
  /** The verb wants to know when the hook begins. */
  readonly traced: boolean
  /** When its reader goes away the hook is killed. */
  readonly answer: number
}

/** Returns undefined when the hook has succeeded, else how it failed, as a verb phrase. */
export function runHook(call: HookCall): string | undefined {
  const deadline = call.hook.timeout === undefined ? undefined : monotonicMs() + call.hook.timeout * 1000
  return withFds((fds) => {
    const executed = execute(call, fds)
    return 'failure' in executed ? executed.failure : watch(call, { ...executed, deadline })
  })
}

type Executed = { readonly failure: string } | { readonly pid: number; readonly stderr: number }

/** Returns when the hook has been executed, or cannot be. */
function execute(call: HookCall, open: FdScope): Executed {
  const [stderr, stderrWrite] = pipe()
  open.keep(stderr)
  open.keep(stderrWrite)
  // Closed by the end of this process, too: then what waits for a byte there does not become a hook any more.
  const [go, goWrite] = pipe()
  open.keep(go)
  open.keep(goWrite)
  const executor = launch(call, { stderr: stderrWrite, go })
  // Only the process may hold it: end of file is how its end is seen.
  close(open.release(stderrWrite))
  try {
    let failure: string | undefined
    executor.endUnless(() => {
      failure = awaitExecution(call, executor, goWrite)
      return failure === undefined
    })
    return failure === undefined ? { pid: executor.pid, stderr } : { failure: `could not be run: ${failure}` }
  } finally {
    executor.close()
  }
}

function launch(
  { hook, state, container, executor }: HookCall,
  { stderr, go }: Pick<HookFds, 'stderr' | 'go'>,
): ExecutorProcess {
  return withFds((own) => {
    const stdin = own.keep(sealedFile('state', JSON.stringify(state)))
    const stdout = own.keep(openOwnNull())
    // A fork into the cgroup where that is v2, and one into the pid namespace.
    const forks: Fork[] = container ? [...forksIntoCgroup(container.cgroup), 'told by the parent'] : []
    return ExecutorProcess.launch({ executor, forks }, (report) => ({
      plan: planHook({
        arch: ownArch,
        hook,
        cwd: state.bundle,
        fds: { stdin, stdout, stderr, report, go },
        container,
      }),
      fds: [stdin, stdout, stderr, go, ...(container ? fdsOf(container) : [])],
    }))
  })
}

/**
 * Returns undefined when the hook is executed, else why not. Reads to the end of file, as parent and child write in no
 * certain order. Whatever the plan does not report is forged.
 */
function awaitExecution(
  { hook, name, enterMs, traced, answer }: HookCall,
  executor: ExecutorProcess,
  go: number,
): string | undefined {
  const { plan } = executor
  const what = `execute ${hook.path}`
  const death = new RuntimeError('hook-failed', `${what}: the process that was to do it ended`)
  const watch = (): RuntimeError | undefined => (executor.hasEnded() ? death : undefined)
  const from = monotonicMs()
  let failure: FailureRecord | undefined
  let ready = false
  let begun = false
  for (const record of executor.records({ timeoutMs: enterMs, from, what, watch })) {
    if (record.kind === 'ready' && !ready) ready = true
    else if (record.kind === 'failure' && !failure && record.tag === plan.tag) failure = record
    else if (record.kind !== 'forked') throw unknownRecord(what)
    if (failure && plan.steps[failure.step]?.role === 'tell-of-child') break
    if (begun || failure || !ready || !executor.hasArrived) continue
    const start: HookStart = { pid: executor.pid, hook: name, ...(traced && { at: monotonicMs() }) }
    write(answer, `${JSON.stringify(start)}\n`)
    write(go, 'g')
    begun = true
  }
  if (failure) return stepFailure(plan, failure)
  return begun ? undefined : 'the container has ended'
}

function stepFailure(plan: Plan, { step, errno }: FailureRecord): string {
  const failed = plan.steps[step]
  if (!failed) return `unknown step ${step}: ${errnoSentence(errno)}`
  const executes = failed.role === 'execute' || failed.role === 'find-executable'
  return executes ? errnoSentence(errno) : `${failed.what}: ${callText(failed)}: ${errnoSentence(errno)}`
}

const WITHHELD = 'ended, and a process that traces it does not let its exit code be known'

interface Running {
  readonly pid: number
  readonly stderr: number
  /** On the clock of monotonicMs(). */
  readonly deadline: number | undefined
}

/** Waits for the end of the hook itself: what it leaves running may keep its stderr open for ever. */
function watch({ hook, answer }: HookCall, { pid, stderr, deadline }: Running): string | undefined {
  const excerpt = new StderrExcerpt()
  const pidfd = pidfdOpen(pid)
  let stderrIsOpen = true
  try {
    for (;;) {
      const left = deadline === undefined ? -1 : Math.max(0, Math.ceil(deadline - monotonicMs()))
      const [ended = 0, onAnswer = 0, onStderr = 0] = poll([pidfd, answer, ...(stderrIsOpen ? [stderr] : [])], left)
      if (onAnswer) {
        end(pid)
        exit(1)
      }
      if (ended) {
        if (stderrIsOpen) drain(stderr, excerpt)
        const exit = waitForEnded(pid)
        const failure = exit === undefined ? WITHHELD : exitFailure(exit)
        return failure && failure + excerpt.clause()
      }
      if (onStderr) stderrIsOpen = readInto(excerpt, stderr)
      else if (deadline !== undefined && monotonicMs() >= deadline) {
        end(pid)
        if (stderrIsOpen) drain(stderr, excerpt)
        return `was killed because it ran longer than its timeout of ${hook.timeout} s${excerpt.clause()}`
      }
    }
  } finally {
    close(pidfd)
  }
}

/** SIGKILL to the process group, of which the hook is the leader since it has its own session. */
function end(pid: number): void {
  kill(-pid, SIGKILL)
  waitForEnded(pid)
}

/** What is in the pipe now, at most what a pipe holds: somebody else may go on writing. */
function drain(fd: number, excerpt: StderrExcerpt): void {
  for (let reads = 0; reads < 16 && poll([fd], 0)[0]; reads++) if (!readInto(excerpt, fd)) return
}

const chunk = new Struct(65536)

function readInto(excerpt: StderrExcerpt, fd: number): boolean {
  const length = read(fd, chunk)
  if (length > 0) excerpt.add(chunk.subarray(0, length))
  return length > 0
}

function exitFailure(exit: Exit): string | undefined {
  if ('signal' in exit) return `was killed by signal ${exit.signal}`
  return exit.code === 0 ? undefined : `failed with exit code ${exit.code}`
}
