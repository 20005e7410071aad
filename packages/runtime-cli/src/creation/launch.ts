import { openCgroup } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { fixStdio } from '../caller/stdio.ts'
import { Monitor } from './monitor.ts'
import { openMonitorFiles } from './monitor-files.ts'
import type { Creation, Occupied } from './occupy.ts'
import { type CreationInputs, inheritedFds } from './plan/inputs.ts'
import { planMonitor } from './plan/plan-monitor.ts'
import type { InitGuard } from './without-cgroup.ts'

export interface Launched extends Occupied {
  readonly inputs: CreationInputs
  readonly monitor: Monitor
  readonly guard: InitGuard | undefined
}

/** From here on liblxc makes the namespaces, while create goes on. */
export function launch(occupied: Occupied, { undo, fds, done }: Creation): Launched {
  const { request, info, cgroup, resctrl, callersCgroup: instead, programs } = occupied
  const { settings, spec, withoutCgroup } = request
  // The monitor inherits them.
  const { userNamespace: namespace, console } = occupied.inputs
  const stdio = fixStdio(spec.process.user, { namespace, label: spec.linux?.mountLabel, byInit: !namespace })
  const { layout, placement } = cgroup
  const joined = openCgroup(layout, placement.path, { others: resctrl?.facts.tasks, instead }, fds)
  const files = openMonitorFiles(info, fds)
  // A terminal takes the place of all three.
  const inputs = { ...occupied.inputs, monitor: { ...files, cgroup: joined }, stdio: console ? [] : stdio }
  const inherited = inheritedFds(inputs)
  const options = { executor: programs.executor, cgroup: joined, inherited, plans: planMonitor(inputs) }
  const monitor = Monitor.launch(files, options, fds)
  // liblxc's own log goes with the container.
  undo.push(() => monitor.keepLog())
  undo.push(() => monitor.end())
  const guard = withoutCgroup && new withoutCgroup.InitGuard(monitor)
  if (guard) undo.push(() => guard.end(settings.timeouts.killMs))
  done('launch', `launched the monitor, pid ${monitor.pid}`, { pid: monitor.pid })
  return { ...occupied, inputs, monitor, guard }
}
