/** Ending whatever still runs in a container's cgroup. */
import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { removeCgroup } from '@crio-lxc/core/cgroup/cgroupfs'
import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import { signalCgroup } from '@crio-lxc/core/cgroup/signal-cgroup'
import { sleep } from '@crio-lxc/core/cgroup/sleep'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/**
 * Kills until the cgroup is empty, then removes it in every hierarchy. A process leaves its cgroup when it has exited,
 * which no file announces on v1, hence the short waits. Throws RuntimeError `timeout` after `timeoutMs`.
 */
export function killContainer(layout: CgroupLayout, path: string, timeoutMs: number): void {
  const deadline = performance.now() + timeoutMs
  for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
    const alive = signalCgroup(layout, path, SIGKILL, { timeoutMs })
    if (alive === 0 && removeCgroup(layout, path)) return
    if (performance.now() > deadline)
      throw new RuntimeError('timeout', `empty the cgroup ${path}: ${alive} processes are left after ${timeoutMs} ms`)
    sleep(pause)
  }
}
