import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import type { ContainerFacts } from '@crio-lxc/core/host/container/container-facts'
import { isEnding } from '@crio-lxc/core/host/process/proc'
import { sleep } from '@crio-lxc/core/sys/fd'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import type { Settings } from '../settings.ts'
import { type Container, loadContainer } from './load-container.ts'

/** What looks at a process or a cgroup that has gone. */
const gone = new Set(['ENOENT', 'ENODEV', 'ESRCH'])

/**
 * Does `task` with a container that runs. Throws ErrNotExist or ErrNotRunning when it fails because the container has ended
 * meanwhile: what was missing first says less than that.
 */
export function unlessEnded<Result>(
  settings: Settings,
  { facts }: Pick<Container, 'facts'>,
  task: () => Result,
): Result {
  try {
    return task()
  } catch (error) {
    if (isGone(error)) expectRunning(settings, facts)
    throw error
  }
}

/** A process that exits has no root and no cgroup any more before all of its threads are gone: how long that may take. */
const EXIT_MS = 200

function expectRunning(settings: Settings, { containerId: id, creator }: ContainerFacts): void {
  const deadline = monotonicMs() + EXIT_MS
  do {
    const { init, facts } = loadContainer(settings, id)
    if (!init || isEnding(init.init) || facts.creator.startTime !== creator.startTime)
      throw new ErrNotRunning(`${id} is stopped`)
    sleep(1)
  } while (monotonicMs() < deadline)
}

/** A cgroup that is gone is not the container's either. Other sentences are about what the caller has given. */
function isGone(error: unknown): boolean {
  return gone.has(codeOf(error) ?? '') || (error instanceof RuntimeError && error.code === 'cgroup')
}
