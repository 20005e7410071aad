import { phrase } from '@crio-lxc/core/errors/codes'
import { ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { cgroupDirectories, removeCgroup, removeDirectories } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { isCgroupPath } from '@crio-lxc/core/host/container/container-facts'
import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { removeUnfinished } from '@crio-lxc/core/host/container/json-file'
import { RemovalLock } from '@crio-lxc/core/host/container/removal-lock'
import { sweepRuntimeRoot } from '@crio-lxc/core/host/container/runtime-directory'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { sleep } from '@crio-lxc/core/sys/fd'
import { type FdScope, withFdsAsync } from '@crio-lxc/core/sys/fd-scope'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import { type Container, loadContainer } from '../container/load-container.ts'
import { endContainer } from '../removal/end-container.ts'
import { holdCgroup } from '../removal/hold-cgroup.ts'
import { Remains } from '../removal/remains.ts'
import type { Settings } from '../settings.ts'

export interface DeleteOptions {
  /** Kill what still runs, and do not complain about what is missing or damaged. */
  readonly force: boolean
  /** Only the container that this create has made: by now the id may be that of another, which is left. */
  readonly madeBy?: ProcessIdentity
}

/** delete: runtime.md, "Delete". Afterwards no process, cgroup or file of the container exists. */
export async function deleteContainer(settings: Settings, id: string, options: DeleteOptions): Promise<void> {
  const { force } = options
  const done = phaseLog('delete')
  const info = new ContainerInfo(settings.root, checkContainerId(id))
  try {
    const lock = lockRemoval(info, settings.timeouts.deleteMs)
    try {
      await removeLocked(settings, { ...options, info, lock })
    } finally {
      lock.release()
    }
  } catch (error) {
    if (!force || !(error instanceof ErrNotExist)) throw error
    done('find', 'there is no such container')
  } finally {
    if (force) sweepRuntimeRoot(settings.root)
  }
}

/** One delete at a time: a second one that is slower would remove the next container of the same id. */
function lockRemoval({ runtimeRoot, containerId }: ContainerInfo, timeoutMs: number): RemovalLock {
  const deadline = monotonicMs() + timeoutMs
  for (;;) {
    const lock = RemovalLock.tryTake(runtimeRoot, containerId)
    if (lock) return lock
    if (monotonicMs() > deadline)
      throw new RuntimeError('timeout', `delete ${containerId}: another delete has not ended within ${timeoutMs} ms`)
    sleep(5)
  }
}

interface Removal extends DeleteOptions {
  readonly info: ContainerInfo
  readonly lock: RemovalLock
}

async function removeLocked(settings: Settings, removal: Removal): Promise<void> {
  const { info, lock, force, madeBy } = removal
  const id = info.containerId
  let container: Container
  try {
    container = loadContainer(settings, id)
  } catch (error) {
    // What is damaged does not say who has made it.
    if (!force || madeBy) throw error
    const { loadWithoutInit, removeDamaged } = await import('../removal/remove-damaged.ts')
    const known = loadWithoutInit(info)
    if (!known) {
      removeDamaged(settings, info)
      phaseLog('delete')('remove', `removed what is left of it: ${messageOf(error)}`)
      return
    }
    container = known
  }
  const { status, facts } = container
  if (madeBy && !isSame(madeBy, facts.creator)) throw new ErrNotExist(id)
  if (!force && status !== 'stopped' && status !== 'created')
    throw new RuntimeError('wrong-state', `${phrase.deleteRunning}: ${id} is ${status}: kill it first or use --force`)
  if (status === 'creating') {
    const { stopCreation } = await import('../removal/stop-creation.ts')
    stopCreation(settings, container, lock)
    if (!lock.isCurrent()) return
    return removeLocked(settings, removal)
  }
  const remains = new Remains(force)
  await withFdsAsync((claims) => destroy(settings, container, { lock, remains, claims }))
  remains.report(id)
}

interface Destruction {
  readonly lock: RemovalLock
  readonly remains: Remains
  /** Of the container's cgroup, until it is gone. */
  readonly claims: FdScope
}

async function destroy(
  settings: Settings,
  container: Container,
  { lock, remains, claims }: Destruction,
): Promise<void> {
  const { info, facts, init, status } = container
  const done = phaseLog('delete')
  const layout = cgroupLayout()
  let cgroup: string | undefined
  remains.of(() => {
    cgroup = holdCgroup(layout, container, claims)
  })
  if (!init && facts.withoutCgroup) {
    const { endUnknownInit } = await import('../removal/end-unknown-init.ts')
    remains.of(() => endUnknownInit(info, facts, settings.timeouts.killMs))
  }
  // That init has ended is what the status says.
  const processes = [status === 'stopped' ? undefined : init?.init, init?.monitor]
  endContainer(settings, { layout, cgroup, processes }, remains)
  done('end', `it was ${status}${init ? `, and init, pid ${init.init.pid}, has ended` : ''}`, {
    status,
    pid: init?.init.pid,
  })
  if (facts.systemdUnits) {
    const { endUnits } = await import('../removal/end-units.ts')
    endUnits(settings, container, { layout, owned: cgroup !== undefined, remains })
  }
  await removeCgroups(container, { layout, cgroup }, remains)
  if (facts.resctrl) {
    const { hasEnded, removeGroups } = await import('@crio-lxc/core/host/resctrl/group')
    const { remove } = facts.resctrl
    // What lives in one is another's: this container has ended.
    remains.of(() => removeGroups(remove.filter(hasEnded)))
    done('resctrl', `removed ${remove.length} resctrl groups`)
  }
  // A create that failed at its end has removed it meanwhile: the id may be another's.
  if (!lock.isCurrent()) return
  const { pidFile } = facts
  // A create that was killed while it wrote the pid file.
  if (pidFile !== undefined) removeUnfinished(pidFile, facts.creator.pid)
  info.remove()
  done('remove', `removed ${info.runtimePath()}`)
  if (!facts.hooks?.poststop) return
  const { runPoststopHooks } = await import('../hooks/hooks.ts')
  runPoststopHooks(settings, facts, facts.hooks)
  done('hooks', `ran ${facts.hooks.poststop.length} poststop hooks`)
}

/** `cgroup` is the container's, which is empty; undefined when it has none. */
async function removeCgroups(
  { facts, init }: Container,
  { layout, cgroup }: { readonly layout: CgroupLayout; readonly cgroup: string | undefined },
  remains: Remains,
): Promise<void> {
  const done = phaseLog('delete')
  const { monitorCgroupDir, cgroupDir, madeCgroups } = facts
  remains.of(() => {
    if (init?.monitor && isCgroupPath(monitorCgroupDir)) removeCgroup(layout, monitorCgroupDir)
  })
  if (facts.withoutCgroup) return
  if (cgroup === undefined) {
    const { leaveCgroup } = await import('../removal/leave-cgroup.ts')
    remains.of(() => leaveCgroup(layout, facts))
    done('cgroups', `left the cgroup ${cgroupDir}, which is not its own`, { cgroup: cgroupDir })
    return
  }
  const removed = new Set(cgroupDirectories(layout, cgroup))
  remains.of(() => removeDirectories(madeCgroups.filter((directory) => !removed.has(directory))))
  done('cgroups', `emptied and removed the cgroup ${cgroup}`, { cgroup })
}

const isSame = (one: ProcessIdentity, other: ProcessIdentity): boolean =>
  one.pid === other.pid && one.startTime === other.startTime
