import { closeSync, openSync } from 'node:fs'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { signalCgroup } from '@crio-lxc/core/cgroup/signal-cgroup'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import { close, poll } from '@crio-lxc/core/sys/libc'
import { pidfdSendSignal, tryLock } from '@crio-lxc/core/sys/libc-process'
import { runPoststartHooks, runStartContainerHooks } from './hooks.ts'
import type { Container } from './load-container.ts'
import type { Settings } from './settings.ts'

const SIGKILL = 9

export interface StartSteps {
  /** Throws unless the container is still waiting for start. */
  readonly check: () => void
  /** Lets init execute the container's program. */
  readonly release: () => void
}

/** A hook that fails stops the container (runtime.md, "Lifecycle", 7 and 9); delete then does the rest. */
export function startWithHooks(settings: Settings, container: Container, { check, release }: StartSteps): void {
  const { facts, info, init } = container
  const { hooks = {} } = facts
  const pid = init?.init.pid ?? 0
  // Hooks are to run once, so there is one start at a time; the lock goes with the process that has it.
  const lock = openSync(info.runtimePath('init.json'), 'r')
  try {
    if (!tryLock(lock)) throw new RuntimeError('wrong-state', `start ${info.containerId}: another start is under way`)
    check()
    runStartContainerHooks(settings, facts, { hooks, pid, config: info.runtimePath('config.json') })
    release()
    runPoststartHooks(settings, facts, { hooks, pid })
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'hook-failed') stop(settings, container)
    throw error
  } finally {
    closeSync(lock)
  }
}

/** Every process of the container: init alone would leave some in a pid namespace that is not the container's. */
function stop({ timeouts }: Settings, { facts, init }: Container): void {
  const pidfd = init && openProcess(init.init)
  signalCgroup(cgroupLayout(), facts.cgroupDir, SIGKILL, { timeoutMs: timeouts.killMs })
  if (pidfd === undefined) return
  try {
    pidfdSendSignal(pidfd, SIGKILL)
    poll([pidfd], timeouts.killMs)
  } finally {
    close(pidfd)
  }
}
