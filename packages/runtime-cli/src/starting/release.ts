/** From an init that waits for start to the container's program. */
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { startStep } from '@crio-lxc/core/host/container/container-facts'
import { readRecord } from '@crio-lxc/core/host/process/read-record'
import { ACKNOWLEDGE_FIFO, START_FIFO } from '@crio-lxc/core/plan/fifo-names'
import type { PlanRecord } from '@crio-lxc/core/plan/record'
import { type Fd, poll } from '@crio-lxc/core/sys/fd'
import { withFdsAsync } from '@crio-lxc/core/sys/fd-scope'
import { openFile, removeFile } from '@crio-lxc/core/sys/files'
import { acknowledgeListener, listenerMissing, sendListener } from '../caller/seccomp-listener.ts'
import { openTerminationMessage, writeTerminationMessage } from '../caller/termination-message.ts'
import { stateOf } from '../container/container-state.ts'
import type { Container } from '../container/load-container.ts'
import { stepError } from '../plan-process/step-error.ts'
import type { Settings } from '../settings.ts'

/**
 * Lets init execute the container's program, and waits until it has. Returns the error of a program that the kernel has
 * refused, once init has ended for it.
 */
export async function release(
  settings: Settings,
  container: Container,
  pidfd: number,
): Promise<RuntimeError | undefined> {
  const path = container.info.runtimePath('fifo', START_FIFO)
  const refusal = await goOn(settings, container, { path, pidfd })
  // Until then it would still be taken for one that is to be started.
  if (refusal) poll([pidfd], settings.timeouts.startMs)
  removeFile(path)
  return refusal
}

interface Released {
  /** Of the start fifo. */
  readonly path: string
  readonly pidfd: number
}

async function goOn(
  settings: Settings,
  container: Container,
  { path, pidfd }: Released,
): Promise<RuntimeError | undefined> {
  const { startMs: timeoutMs } = settings.timeouts
  return withFdsAsync(async (fds) => {
    // Before init goes on: it takes the end of this fifo for the end of start.
    const acknowledge =
      container.init?.seccompAgent &&
      fds.keep(openFile(container.info.runtimePath('fifo', ACKNOWLEDGE_FIFO), O_WRONLY | O_NONBLOCK))
    const message = openMessage(container)
    if (message !== undefined) fds.keep(message)
    // Opening the read end lets init's open of the write end return; O_NONBLOCK because init may just have died.
    const fifo = fds.keep(openFile(path, O_RDONLY | O_NONBLOCK))
    try {
      const errno = awaitExecution(container, { fifo, pidfd, acknowledge, timeoutMs })
      const refusal = errno === undefined ? undefined : await refuse(settings, container, { pidfd, errno })
      if (message !== undefined && refusal) writeTerminationMessage(message, refusal)
      return refusal
    } catch (error) {
      if (message !== undefined) writeTerminationMessage(message, error)
      throw error
    }
  })
}

/** Lets init say why its program cannot be executed. */
async function refuse(
  settings: Settings,
  { info, init }: Container,
  { pidfd, errno }: { readonly pidfd: number; readonly errno: number },
): Promise<RuntimeError> {
  const { sayWhyInitRefused } = await import('./refused-init.ts')
  return sayWhyInitRefused(settings, {
    pid: init?.init.pid ?? 0,
    pidfd,
    errno,
    config: info.runtimePath('config.json'),
  })
}

/** Before init goes on: once it has failed its mounts are gone. */
function openMessage({ init }: Container): Fd | undefined {
  return init?.terminationMessage && openTerminationMessage(init.init.pid, init.terminationMessage)
}

interface Waiting {
  readonly fifo: number
  readonly pidfd: number
  /** Write end of the fifo on which init waits for the seccomp agent. */
  readonly acknowledge: number | undefined
  readonly timeoutMs: number
}

/**
 * A record on the fifo: a step failed, or a listener. End of file: execve closed it. The pidfd alone: init died on the way.
 * Returns the errno of an execve that failed.
 */
function awaitExecution(container: Container, waiting: Waiting): number | undefined {
  const { fifo, pidfd, acknowledge, timeoutMs } = waiting
  const { containerId: id } = container.info
  let handedOver = container.init?.seccompAgent === undefined
  for (;;) {
    const [onFifo = 0, onPidfd = 0] = poll([fifo, pidfd], timeoutMs)
    if (!onFifo && !onPidfd)
      throw new RuntimeError('timeout', `start ${id}: init did not answer within ${timeoutMs} ms`)
    const record = onFifo ? readRecord(fifo, `start ${id}`) : undefined
    if (record) {
      const { init } = container
      if (record.kind === 'failure' && init && startStep(init, record.step).role === 'execute') return record.errno
      if (record.kind !== 'listener' || !init?.seccompAgent || acknowledge === undefined)
        throw failure(container, record)
      const { pid } = init.init
      const { listener } = record
      sendListener(init.seccompAgent, { pid, pidfd, listener, state: stateOf(container), timeoutMs })
      acknowledgeListener(acknowledge)
      handedOver = true
      continue
    }
    if (!onFifo) throw new RuntimeError('start-failed', `start ${id}: init died before it executed`)
    if (!handedOver) throw listenerMissing(`start ${id}`)
    return undefined
  }
}

function failure({ init }: Container, record: PlanRecord): RuntimeError {
  if (!init || record.kind !== 'failure') return new RuntimeError('start-failed', 'init sent an unknown record')
  const { step, errno } = record
  return stepError('start-failed', startStep(init, step), { call: 'init', errno, command: init.command })
}
