import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { killCgroup } from '@crio-lxc/core/host/cgroup/signal-cgroup'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import type { Container } from '../container/load-container.ts'
import { runPoststartHooks, runStartContainerHooks } from '../hooks/hooks.ts'
import { endProcess } from '../removal/end-process.ts'
import type { Settings } from '../settings.ts'
import { Undo } from '../undo.ts'
import { orDelete } from './or-delete.ts'

/**
 * `release` lets init execute the container's program. A startContainer hook that fails stops the container, as with runc
 * and crun; when a poststart hook does, or cannot be run, it is deleted as well, with its poststop hooks (runtime.md,
 * "Lifecycle", 9).
 */
export async function startWithHooks(
  settings: Settings,
  container: Container,
  release: () => Promise<void>,
): Promise<void> {
  const { facts, info } = container
  const init = container.init?.init
  if (!init) throw new RuntimeError('wrong-state', `${phrase.startStopped}: ${info.containerId}`)
  const { hooks = {} } = facts
  try {
    runStartContainerHooks(settings, facts, { hooks, init, config: info.runtimePath('config.json') })
  } catch (error) {
    // A start that could not have them run may be repeated.
    if (!(error instanceof RuntimeError && error.code === 'hook-failed')) throw error
    stop(settings, container).run(error)
    throw error
  }
  await release()
  await orDelete(settings, facts, () => {
    try {
      runPoststartHooks(settings, facts, { hooks, init })
    } catch (error) {
      stop(settings, container).run(error)
      throw error
    }
  })
}

/**
 * Every process of the container: init alone would leave some in a pid namespace that is not the container's. Init first,
 * because nothing that is missing for the rest may keep it running.
 */
function stop({ timeouts }: Settings, container: Container): Undo {
  const { facts, init } = container
  const undo = new Undo()
  undo.push(() => {
    if (ownsCgroup(container)) killCgroup(cgroupLayout(), facts.cgroupDir, { timeoutMs: timeouts.killMs })
  })
  undo.push(() => {
    if (init) endProcess(init.init, timeouts.killMs)
  })
  return undo
}
