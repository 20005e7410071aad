import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
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
    const { containerId: id, creator } = facts
    if (isGone(error)) {
      const { status, facts: present } = loadContainer(settings, id)
      if (status === 'stopped' || present.creator.startTime !== creator.startTime)
        throw new ErrNotRunning(`${id} is stopped`)
    }
    throw error
  }
}

/** Also as the cause of another; a cgroup that is gone is not the container's either. */
function isGone(error: unknown): boolean {
  if (gone.has(codeOf(error) ?? '')) return true
  return error instanceof RuntimeError && (error.code === 'cgroup' || isGone(error.cause))
}
