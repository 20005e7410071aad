/** delete --force of a container that a create which still runs is making. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { killCgroup } from '@crio-lxc/core/host/cgroup/signal-cgroup'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import type { RemovalLock } from '@crio-lxc/core/host/container/removal-lock'
import { executableIdentity, isAlive, threadGroup } from '@crio-lxc/core/host/process/proc'
import { sleep } from '@crio-lxc/core/sys/fd'
import { monotonicMs, ownPid } from '@crio-lxc/core/sys/program'
import type { Container } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'
import { endProcess } from './end-process.ts'

/**
 * Takes the container from under the create, which then undoes what it has done and says so to its caller. Returns when
 * the container is gone, or its creator, or when it was created after all. A create that does not end within the time
 * for a kill, because a hook of its own hangs or because it is stopped, is killed.
 */
export function stopCreation({ timeouts }: Settings, container: Container, lock: RemovalLock): void {
  const { info, facts } = container
  const { creator, cgroupDir } = facts
  const deadline = monotonicMs() + timeouts.killMs
  while (isAlive(creator) && lock.isCurrent() && !info.loadInit()) {
    if (ownsCgroup(container)) killCgroup(cgroupLayout(), cgroupDir, { timeoutMs: timeouts.killMs })
    if (monotonicMs() > deadline) {
      // It may be a program that embeds the runtime, and has more to do than this.
      if (isThread(creator.pid) || executableIdentity(creator.pid) !== executableIdentity(ownPid()))
        throw new RuntimeError(
          'timeout',
          `delete ${info.containerId}: process ${threadGroup(creator.pid) ?? creator.pid} is still creating it: end that first`,
        )
      endProcess(creator, timeouts.killMs)
      return
    }
    sleep(5)
  }
}

/** Of a program that embeds the runtime. */
function isThread(pid: number): boolean {
  return ![pid, undefined].includes(threadGroup(pid))
}
