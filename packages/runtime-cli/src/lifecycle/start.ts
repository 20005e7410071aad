import { O_NONBLOCK, O_RDONLY } from '@crio-lxc/core/abi/constants'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { frozenAbove } from '@crio-lxc/core/host/cgroup/frozen'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { openProcess } from '@crio-lxc/core/host/process/pidfd'
import { close, type Fd, tryLock } from '@crio-lxc/core/sys/fd'
import { fstat, lstat, openFile, unlessMissing } from '@crio-lxc/core/sys/files'
import type { NotifySocket } from '../caller/notify-socket.ts'
import { type Container, loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'
import { release } from '../starting/release.ts'

export interface StartOptions {
  /** The caller's NOTIFY_SOCKET, if it is not empty: it is told when the container is ready, and start waits for that. */
  readonly notifySocket?: string | undefined
  /** Nobody needs to listen there: one that is left over in the environment does not keep a container from running. */
  readonly notifyOptional?: boolean
}

/** start: runtime.md, "Start". Returns when the container's program has been executed. */
export async function start(settings: Settings, id: string, options: StartOptions = {}): Promise<void> {
  const notifier = await startToForward(settings, id, options)
  await notifier?.forward({ mainPid: true })
}

/** The same without the wait for a container that notifies: what it sends is the caller's to forward. */
export async function startToForward(
  settings: Settings,
  id: string,
  options: StartOptions,
): Promise<NotifySocket | undefined> {
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
function lockStart(settings: Settings, id: string): Fd | undefined {
  const path = new ContainerInfo(settings.root, checkContainerId(id)).runtimePath('init.json')
  let fd: Fd
  try {
    fd = openFile(path, O_RDONLY | O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return undefined
  }
  if (tryLock(fd)) {
    // Of a container that was deleted meanwhile, and is another by now.
    if (unlessMissing(() => lstat(path))?.identity === fstat(fd).identity) return fd
    close(fd)
    return lockStart(settings, id)
  }
  close(fd)
  throw new RuntimeError('wrong-state', `${phrase.startRunning}: ${id}: another start is under way`)
}

async function startLocked(
  settings: Settings,
  id: string,
  { notifySocket, notifyOptional = false }: StartOptions,
): Promise<NotifySocket | undefined> {
  const done = phaseLog('start')
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

function checkStatus({ status, info: { containerId: id } }: Container): void {
  if (status === 'created') return
  if (status === 'stopped') throw new RuntimeError('wrong-state', `${phrase.startStopped}: ${id}`)
  if (status === 'running') throw new RuntimeError('wrong-state', `${phrase.startRunning}: ${id}`)
  throw new RuntimeError('wrong-state', `start ${id}: it is ${status}: only a created container can be started`)
}
