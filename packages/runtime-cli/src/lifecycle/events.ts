import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { watchOom } from '@crio-lxc/core/host/cgroup/oom-watch'
import { readStats } from '@crio-lxc/core/host/cgroup/read-stats'
import type { Stats } from '@crio-lxc/core/host/cgroup/stats/stats'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { openProcess } from '@crio-lxc/core/host/process/pidfd'
import { close, poll } from '@crio-lxc/core/sys/fd'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import { type Container, loadContainer } from '../container/load-container.ts'
import { requireCgroup } from '../container/require-cgroup.ts'
import { unlessEnded } from '../container/unless-ended.ts'
import type { Settings } from '../settings.ts'

/** One line of runc's `events`. */
export interface ContainerEvent {
  readonly type: 'stats' | 'oom'
  readonly id: string
  readonly data?: Stats
}

const POLLIN = 1

/** What the container uses now. Throws ErrNotRunning. */
export async function stats(settings: Settings, id: string): Promise<ContainerEvent> {
  const container = running(settings, id)
  const look = await statsOf(container)
  return unlessEnded(settings, container, look)
}

export interface WatchOptions {
  readonly intervalMs: number
  /** Where `print` writes to: a pipe without a reader any more ends the watch. */
  readonly output: number
  readonly print: (event: ContainerEvent) => void
}

/** Prints statistics at each interval and an event whenever memory runs out, until init has ended or nobody reads them. */
export async function watchEvents(
  settings: Settings,
  id: string,
  { intervalMs, output, print }: WatchOptions,
): Promise<void> {
  const done = phaseLog('events')
  const container = running(settings, id)
  const look = await statsOf(container)
  const pidfd = container.init && openProcess(container.init.init)
  if (pidfd === undefined) throw new ErrNotRunning(id)
  const oom = watchOom(cgroupLayout(), container.facts.cgroupDir)
  done('watch', `watches the cgroup ${container.facts.cgroupDir}`, { cgroup: container.facts.cgroupDir })
  try {
    for (let next = monotonicMs() + intervalMs, ended = false; !ended; ) {
      // Of the output only what poll(2) tells unasked: that its other end is gone.
      const wanted = [{ fd: pidfd, events: POLLIN }, { fd: output, events: 0 }, ...(oom ? [oom] : [])]
      const [onPidfd = 0, onOutput = 0, onOom = 0] = poll(wanted, Math.max(0, Math.ceil(next - monotonicMs())))
      if (onOutput !== 0) return
      ended = onPidfd !== 0
      // Asked at the end as well: the last thing that happened may be what ended it.
      if (oom && (onOom !== 0 || ended)) for (let left = takeOom(oom); left > 0; left--) print({ type: 'oom', id })
      if (ended || monotonicMs() < next) continue
      print(look())
      next += intervalMs
    }
  } finally {
    oom?.close()
    close(pidfd)
  }
}

/** The counter of v1 cannot be read while it is 0. */
function takeOom({ take }: { readonly take: () => number }): number {
  try {
    return take()
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return 0
    throw error
  }
}

function running(settings: Settings, id: string): Container {
  const container = loadContainer(settings, id)
  if (container.status === 'stopped' || container.status === 'creating')
    throw new ErrNotRunning(`${id} is ${container.status}`)
  unlessEnded(settings, container, () => requireCgroup(container, 'look at the events of'))
  return container
}

/** What looks at the container's statistics. */
async function statsOf({ facts }: Container): Promise<() => ContainerEvent> {
  const { containerId, cgroupDir, resctrl } = facts
  const ofResctrl = resctrl && (await import('@crio-lxc/core/host/resctrl/group-stats')).readResctrlStats
  return () => {
    const data = readStats(cgroupLayout(), cgroupDir)
    return {
      type: 'stats',
      id: containerId,
      data: resctrl && ofResctrl ? { ...data, intel_rdt: ofResctrl(resctrl) } : data,
    }
  }
}
