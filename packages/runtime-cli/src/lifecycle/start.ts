import { Struct } from '@crio-lxc/core/abi/bytes'
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from '@crio-lxc/core/abi/constants'
import { frozenAbove } from '@crio-lxc/core/cgroup/frozen'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { startStep } from '@crio-lxc/core/container/container-facts'
import { checkContainerId } from '@crio-lxc/core/container/container-id'
import { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { stepLog } from '@crio-lxc/core/log/step-log'
import { ACKNOWLEDGE_FIFO, START_FIFO } from '@crio-lxc/core/plan/fifo-names'
import { type PlanRecord, parseRecord, RECORD_BYTES } from '@crio-lxc/core/plan/record'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import { close, type Fd, poll, read, tryLock } from '@crio-lxc/core/sys/fd'
import { withFdsAsync } from '@crio-lxc/core/sys/fd-scope'
import { openFile, removeFile } from '@crio-lxc/core/sys/files'
import type { NotifySocket } from '../caller/notify-socket.ts'
import { acknowledgeListener, listenerMissing, sendListener } from '../caller/seccomp-listener.ts'
import { openTerminationMessage, writeTerminationMessage } from '../caller/termination-message.ts'
import { stateOf } from '../container/container-state.ts'
import { type Container, loadContainer } from '../container/load-container.ts'
import { stepError } from '../plan-process/step-error.ts'
import type { Settings } from '../settings.ts'

export interface StartOptions {
  /** The caller's NOTIFY_SOCKET, if it is not empty: it is told when the container is ready, and start waits for that. */
  readonly notifySocket?: string | undefined
  /** Nobody needs to listen there: one that is left over in the environment does not keep a container from running. */
  readonly notifyOptional?: boolean
}

/** start: runtime.md, "Start". Returns when the container's program has been executed. */
export async function start(settings: Settings, id: string, options: StartOptions = {}): Promise<void> {
  const notifier = await begin(settings, id, options)
  await notifier?.forward({ mainPid: true })
}

/** The same without the wait for a container that notifies: what it sends is the caller's to forward. */
export async function begin(settings: Settings, id: string, options: StartOptions): Promise<NotifySocket | undefined> {
  const lock = lockStart(settings, id)
  try {
    return await startLocked(settings, id, options)
  } catch (error) {
    // Deleted meanwhile: what was missing first says less than that.
    if (codeOf(error) === 'ENOENT') loadContainer(settings, id)
    throw error
  } finally {
    if (lock !== undefined) close(lock)
  }
}

/** One start at a time, as hooks are to run once; the lock goes with the process that has it. undefined: nothing to lock. */
function lockStart({ root }: Settings, id: string): Fd | undefined {
  let fd: Fd
  try {
    fd = openFile(new ContainerInfo(root, checkContainerId(id)).runtimePath('init.json'), O_RDONLY | O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return undefined
  }
  if (tryLock(fd)) return fd
  close(fd)
  throw new RuntimeError('wrong-state', `${phrase.startRunning}: ${id}: another start is under way`)
}

async function startLocked(
  settings: Settings,
  id: string,
  { notifySocket, notifyOptional = false }: StartOptions,
): Promise<NotifySocket | undefined> {
  const done = stepLog('start')
  const container = loadContainer(settings, id)
  checkStatus(container)
  const frozen = frozenAbove(cgroupLayout(), container.facts.cgroupDir)
  if (frozen !== undefined)
    throw new RuntimeError('wrong-state', `start ${id}: the cgroup ${frozen} around it is frozen: thaw that first`)
  const pidfd = container.init && openProcess(container.init.init)
  if (pidfd === undefined) throw new RuntimeError('wrong-state', `${phrase.startStopped}: ${id}`)
  const { init, facts } = container
  const go = async (): Promise<void> => {
    const error = await release(settings, container, pidfd)
    const how = error ? `has ended: ${error.message}` : `has executed ${init?.command}`
    done('execute', `init (pid ${init?.init.pid}) ${how}`, { pid: init?.init.pid })
  }
  let notifier: NotifySocket | undefined
  try {
    if (notifySocket) notifier = await listen(container, notifySocket, notifyOptional)
    const { startContainer, poststart } = facts.hooks ?? {}
    if (startContainer || poststart) {
      const { startWithHooks } = await import('./start-with-hooks.ts')
      await startWithHooks(settings, container, go)
      done('hooks', `ran ${(startContainer?.length ?? 0) + (poststart?.length ?? 0)} hooks`)
    } else await go()
    return notifier
  } catch (error) {
    notifier?.close()
    throw error
  } finally {
    close(pidfd)
  }
}

/** Before init goes on: its program may notify at once. */
async function listen(container: Container, socket: string, optional: boolean): Promise<NotifySocket | undefined> {
  const { NotifySocket } = await import('../caller/notify-socket.ts')
  return NotifySocket.open(container, socket, { optional })
}

/**
 * Lets init execute the container's program, and waits until it has. Returns the error of a program that the kernel has
 * refused, once init has ended for it.
 */
async function release(settings: Settings, container: Container, pidfd: number): Promise<RuntimeError | undefined> {
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
  const { sayWhyInitRefused } = await import('../entering/refused-init.ts')
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

function checkStatus({ status, info: { containerId: id } }: Container): void {
  if (status === 'created') return
  if (status === 'stopped') throw new RuntimeError('wrong-state', `${phrase.startStopped}: ${id}`)
  if (status === 'running') throw new RuntimeError('wrong-state', `${phrase.startRunning}: ${id}`)
  throw new RuntimeError('wrong-state', `start ${id}: it is ${status}: only a created container can be started`)
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
    const bytes = new Struct(RECORD_BYTES)
    const record = onFifo ? parseRecord(bytes, read(fifo, bytes), `start ${id}`) : undefined
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
