import { phrase } from '@crio-lxc/core/errors/codes'
import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { freeze, thaw } from '@crio-lxc/core/host/cgroup/freezer'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { loadContainer } from '../container/load-container.ts'
import { requireCgroup } from '../container/require-cgroup.ts'
import { unlessEnded } from '../container/unless-ended.ts'
import type { Settings } from '../settings.ts'

/** pause: returns when no process of the container runs any more; after a failure all of them run. */
export function pause(settings: Settings, id: string): void {
  const done = phaseLog('pause')
  const container = loadContainer(settings, id)
  const { facts, status } = container
  if (status !== 'running' && status !== 'created') throw new ErrNotRunning(`${id} is ${status}`)
  unlessEnded(settings, container, () => {
    requireCgroup(container, 'pause')
    freeze(cgroupLayout(), facts.cgroupDir, settings.timeouts.killMs)
  })
  done('freeze', `froze the cgroup ${facts.cgroupDir}`, { cgroup: facts.cgroupDir })
}

/** resume: the inverse. */
export function resume(settings: Settings, id: string): void {
  const done = phaseLog('resume')
  const { facts, status } = loadContainer(settings, id)
  if (status !== 'paused') throw new RuntimeError('wrong-state', `${phrase.notPaused}: ${id} is ${status}`)
  thaw(cgroupLayout(), facts.cgroupDir)
  done('thaw', `thawed the cgroup ${facts.cgroupDir}`, { cgroup: facts.cgroupDir })
}
