import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { signalCgroup } from '@crio-lxc/core/cgroup/signal-cgroup'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import { endPidfd } from './end-process.ts'
import { runPoststartHooks, runStartContainerHooks } from './hooks.ts'
import type { Container } from './load-container.ts'
import type { Settings } from './settings.ts'

const SIGKILL = 9

/**
 * `release` lets init execute the container's program. A hook that fails, or cannot be run after the program has begun,
 * stops the container (runtime.md, "Lifecycle", 7 and 9); delete then does the rest.
 */
export function startWithHooks(settings: Settings, container: Container, release: () => void): void {
  const { facts, info } = container
  const init = container.init?.init
  if (!init) throw new RuntimeError('wrong-state', `${phrase.startStopped}: ${info.containerId}`)
  const { hooks = {} } = facts
  let released = false
  try {
    runStartContainerHooks(settings, facts, { hooks, init, config: info.runtimePath('config.json') })
    release()
    released = true
    runPoststartHooks(settings, facts, { hooks, init })
  } catch (error) {
    if (released || (error instanceof RuntimeError && error.code === 'hook-failed')) stop(settings, container)
    throw error
  }
}

/** Every process of the container: init alone would leave some in a pid namespace that is not the container's. */
function stop({ timeouts }: Settings, { facts, init }: Container): void {
  const pidfd = init && openProcess(init.init)
  signalCgroup(cgroupLayout(), facts.cgroupDir, SIGKILL, { timeoutMs: timeouts.killMs })
  if (pidfd !== undefined) endPidfd(pidfd, timeouts.killMs)
}
