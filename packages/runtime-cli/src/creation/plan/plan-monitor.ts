/** What create plans before it launches the monitor: the rest it plans while liblxc makes the namespaces. */
import type { Plan } from '@crio-lxc/core/plan/plan'
import { planWait } from '@crio-lxc/init/wait-plan'
import { planLaunch } from '@crio-lxc/start-monitor/launch-plan'
import { lxcConfig } from '@crio-lxc/start-monitor/lxc-config'
import { sharesPids } from '../../namespaces/plan/open-namespaces.ts'
import { type CreationInputs, stagedMounts } from './inputs.ts'

export interface MonitorPlans {
  /** The text of liblxc's config. */
  readonly lxcConfig: string
  /** What becomes the monitor runs it. */
  readonly launch: Plan
  /** What init runs before the container's plan. */
  readonly wait: Plan
}

export function planMonitor(inputs: CreationInputs): MonitorPlans {
  const { arch, id, spec, programs, namespaces, userNamespace, gate, monitor, traced } = inputs
  const { libexec, stage } = programs
  const { created, joined } = namespaces
  const { report, go, plan } = monitor
  return {
    lxcConfig: lxcConfig({
      libexec,
      newNamespaces: [...created],
      joinedNamespaces: joined,
      idMappings: userNamespace,
      plan: monitor.wait,
      log: monitor.log,
      logLevel: inputs.containerLogLevel,
    }),
    launch: planLaunch({
      arch,
      cgroup: monitor.cgroup,
      report,
      hostTree: gate?.hostTree?.fd,
      timeNamespace: joined.get('time'),
      timeOffsets: userNamespace && created.has('time') ? spec.linux?.timeOffsets : undefined,
      stage,
      staged: stagedMounts(inputs),
      hostPids: userNamespace !== undefined && sharesPids(namespaces),
      traced,
      command: [programs.monitor, id, `${libexec}/lxc`, `/proc/self/fd/${monitor.config}`],
    }),
    wait: planWait({ arch, go, plan, traceReport: traced ? report : undefined }),
  }
}
