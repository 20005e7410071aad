/** Ending whatever still runs in a container's cgroup. */
import { listProcesses, removeCgroup } from '@crio-lxc/core/cgroup/cgroupfs'
import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { signalProcess } from '@crio-lxc/core/process/pidfd'
import { identify } from '@crio-lxc/core/process/proc'

const SIGKILL = 9

/** Sends `signal` to every process in the cgroup. Returns how many there were. */
export function signalCgroup(layout: CgroupLayout, path: string, signal: number): number {
  const pids = listProcesses(layout, path)
  for (const pid of pids) {
    const identity = identify(pid)
    if (identity) signalProcess(identity, signal)
  }
  return pids.length
}

/**
 * Kills until the cgroup is empty, then removes it in every hierarchy. A process leaves its cgroup when it has exited,
 * which no file announces on v1, hence the short waits. Throws RuntimeError `timeout` after `timeoutMs`.
 */
export function killContainer(layout: CgroupLayout, path: string, timeoutMs: number): void {
  const deadline = performance.now() + timeoutMs
  for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
    const alive = signalCgroup(layout, path, SIGKILL)
    if (alive === 0 && removeCgroup(layout, path)) return
    if (performance.now() > deadline)
      throw new RuntimeError('timeout', `empty the cgroup ${path}: ${alive} processes are left after ${timeoutMs} ms`)
    sleep(pause)
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
