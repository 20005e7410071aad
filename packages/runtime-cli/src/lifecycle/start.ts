import { closeSync, openSync, readSync, unlinkSync } from 'node:fs'
import { O_NONBLOCK, O_RDONLY } from '@crio-lxc/core/abi/constants'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { stepLog } from '@crio-lxc/core/log/step-log'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import { close, poll } from '@crio-lxc/core/sys/libc'
import { START_FIFO } from '@crio-lxc/init/container-plan'
import { type Container, loadContainer } from './load-container.ts'
import { parseRecord, RECORD_BYTES, stepError } from './report.ts'
import type { Settings } from './settings.ts'

/** start: runtime.md, "Start". Returns when the container's program has been executed. */
export function start(settings: Settings, id: string): void {
  const done = stepLog('start')
  const container = loadContainer(settings, id)
  checkStatus(container)
  const pidfd = container.init && openProcess(container.init.init)
  if (pidfd === undefined) throw new RuntimeError('wrong-state', `${phrase.startStopped}: ${id}`)
  const path = container.info.runtimePath('fifo', START_FIFO)
  // Opening the read end lets init's open of the write end return; O_NONBLOCK because init may just have died.
  const fifo = openSync(path, O_RDONLY | O_NONBLOCK)
  try {
    awaitExecution(container, { fifo, pidfd, timeoutMs: settings.timeouts.startMs })
  } finally {
    closeSync(fifo)
    close(pidfd)
  }
  unlinkSync(path)
  const { pid } = container.init?.init ?? {}
  done(`init (pid ${pid}) has executed ${container.init?.command}`, { pid })
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
  readonly timeoutMs: number
}

/** A record on the fifo: a step failed. End of file: execve closed it. The pidfd alone: init died on the way. */
function awaitExecution(container: Container, { fifo, pidfd, timeoutMs }: Waiting): void {
  const [onFifo = 0, onPidfd = 0] = poll([fifo, pidfd], timeoutMs)
  if (!onFifo && !onPidfd)
    throw new RuntimeError('timeout', `start ${container.info.containerId}: init did not answer within ${timeoutMs} ms`)
  const buffer = Buffer.alloc(RECORD_BYTES)
  const length = onFifo ? readSync(fifo, buffer) : 0
  if (length > 0) throw failure(container, buffer)
  if (!onFifo)
    throw new RuntimeError('start-failed', `start ${container.info.containerId}: init died before it executed`)
}

function failure({ init }: Container, buffer: Buffer): RuntimeError {
  const record = parseRecord(buffer)
  if (!init || record.kind !== 'failure') return new RuntimeError('start-failed', 'init sent an unknown record')
  const what = init.startSteps[record.step] ?? `step ${record.step}`
  return stepError('start-failed', { what, call: 'init', errno: record.errno, command: init.command })
}
