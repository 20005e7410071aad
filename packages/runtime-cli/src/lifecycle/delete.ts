import { rmSync } from 'node:fs'
import { cgroupDirectories, removeCgroup, removeDirectories } from '@crio-lxc/core/cgroup/cgroupfs'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { signalCgroup } from '@crio-lxc/core/cgroup/signal-cgroup'
import { checkContainerId } from '@crio-lxc/core/container/container-id'
import { ContainerInfo } from '@crio-lxc/core/container/container-info'
import { phrase } from '@crio-lxc/core/errors/codes'
import { ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { stepLog } from '@crio-lxc/core/log/step-log'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import type { ProcessIdentity } from '@crio-lxc/core/process/proc'
import { close, poll } from '@crio-lxc/core/sys/libc'
import { pidfdSendSignal } from '@crio-lxc/core/sys/libc-process'
import { killContainer } from './kill-container.ts'
import { type Container, loadContainer } from './load-container.ts'
import type { Settings } from './settings.ts'

const SIGKILL = 9

export interface DeleteOptions {
  /** Kill what still runs, and do not complain about what is missing or damaged. */
  readonly force: boolean
}

/** delete: runtime.md, "Delete". Afterwards no process, cgroup or file of the container exists. */
export async function deleteContainer(settings: Settings, id: string, { force }: DeleteOptions): Promise<void> {
  const done = stepLog('delete')
  let container: Container
  try {
    container = loadContainer(settings, id)
  } catch (error) {
    if (!force || (error instanceof RuntimeError && error.code === 'invalid-id')) throw error
    if (error instanceof ErrNotExist) done('there is no such container')
    else {
      removeDamaged(settings, id)
      done(`removed the runtime directory alone: ${messageOf(error)}`)
    }
    return
  }
  const { info, facts, init, status } = container
  if (!force && status !== 'stopped' && status !== 'created')
    throw new RuntimeError('wrong-state', `${phrase.deleteRunning}: ${id} is ${status}: kill it first or use --force`)
  const { killMs, deleteMs } = settings.timeouts
  const layout = cgroupLayout()
  // A v1 freezer would hold init, and the wait for its end.
  if (status === 'paused') signalCgroup(layout, facts.cgroupDir, SIGKILL, { timeoutMs: killMs })
  if (init) end(init.init, killMs)
  if (init?.monitor) end(init.monitor, killMs)
  done(`it was ${status}${init ? `, and init, pid ${init.init.pid}, has ended` : ''}`, { status, pid: init?.init.pid })
  killContainer(layout, facts.cgroupDir, deleteMs)
  if (facts.systemdUnits) {
    const { stopUnits } = await import('@crio-lxc/core/cgroup/systemd-manager')
    stopUnits(Object.values(facts.systemdUnits), deleteMs)
    done(`stopped the unit ${facts.systemdUnits.container}`, { unit: facts.systemdUnits.container })
  }
  if (init?.monitor) removeCgroup(layout, facts.monitorCgroupDir)
  const removed = new Set(cgroupDirectories(layout, facts.cgroupDir))
  removeDirectories(facts.madeCgroups.filter((directory) => !removed.has(directory)))
  done(`emptied and removed the cgroup ${facts.cgroupDir}`, { cgroup: facts.cgroupDir })
  rmSync(info.runtimePath(), { recursive: true })
  done(`removed ${info.runtimePath()}`)
  if (!facts.hooks?.poststop) return
  const { runPoststopHooks } = await import('./hooks.ts')
  runPoststopHooks(settings, facts, facts.hooks)
  done(`ran ${facts.hooks.poststop.length} poststop hooks`)
}

/** SIGKILL and wait until the process is gone: its cgroup can only be removed then. */
function end(identity: ProcessIdentity, timeoutMs: number): void {
  const pidfd = openProcess(identity)
  if (pidfd === undefined) return
  try {
    pidfdSendSignal(pidfd, SIGKILL)
    poll([pidfd], timeoutMs)
  } finally {
    close(pidfd)
  }
}

/**
 * A container whose container.json cannot be read: what it ran cannot be known, so its cgroups are left to the
 * operator, and the directory goes, as an ordinary delete could never remove it.
 */
function removeDamaged({ root }: Settings, id: string): void {
  rmSync(new ContainerInfo(root, checkContainerId(id)).runtimePath(), { recursive: true, force: true })
}
