import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { signalCgroup } from '@crio-lxc/core/cgroup/signal-cgroup'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { endProcess } from './end-process.ts'
import { runPoststartHooks, runStartContainerHooks } from './hooks.ts'
import type { Container } from './load-container.ts'
import type { Settings } from './settings.ts'
import { Undo } from './undo.ts'

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
    if (!released && !(error instanceof RuntimeError && error.code === 'hook-failed')) throw error
    throw stop(settings, container).run(error)
  }
}

/**
 * Every process of the container: init alone would leave some in a pid namespace that is not the container's. Init first,
 * because nothing that is missing for the rest may keep it running.
 */
function stop({ timeouts }: Settings, { facts, init }: Container): Undo {
  const steps = new Undo()
  steps.push(() => signalCgroup(cgroupLayout(), facts.cgroupDir, SIGKILL, { timeoutMs: timeouts.killMs }))
  steps.push(() => {
    if (init) endProcess(init.init, timeouts.killMs)
  })
  return steps
}
