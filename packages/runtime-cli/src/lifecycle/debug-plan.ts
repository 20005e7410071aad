/** debug plan: everything that create would do with a bundle, as data, without doing any of it. */
import { cgroupOf } from '@crio-lxc/core/host/cgroup/exec-cgroup'
import { type FdScope, withFdsAsync } from '@crio-lxc/core/sys/fd-scope'
import { ownPid } from '@crio-lxc/core/sys/program'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { stdioDevices } from '../caller/stdio.ts'
import { type Opened, openInputs } from '../creation/open-inputs.ts'
import type { MonitorFds } from '../creation/plan/inputs.ts'
import { type AllInputs, planAll } from '../creation/plan/plan-all.ts'
import { refuse } from '../creation/refuse.ts'
import { loadSpec } from '../documents/load-spec.ts'
import { type DebugPlan, type Preview, printAll } from '../plan-text/print-all.ts'
import type { Settings } from '../settings.ts'
import { cgroupMounts } from '../sources/cgroup-mounts.ts'

/** Stand for what is named when a container is made. */
const [ROOT, ID] = ['ROOT', 'ID']
/** Numbers that stand for what create opens once the container has its place: beyond those of what is open. */
const NUMBERS = {
  plan: 200,
  go: 201,
  report: 202,
  log: 203,
  fifoDirectory: 204,
  console: 205,
  unified: 206,
  wait: 207,
  config: 208,
  mover: { namespace: 209, report: 202 },
  tasks: 210,
} as const

export interface Planned {
  readonly bundle: string
  readonly notifySocket?: string | undefined
}

/** For programs. */
export async function debugPlan(settings: Settings, planned: Planned): Promise<DebugPlan> {
  return printAll(await previewOf(settings, planned))
}

/** Of what was open: the numbers stay. */
export function previewOf(settings: Settings, planned: Planned): Promise<Preview> {
  return withPreview(settings, planned, (preview) => preview)
}

/** Opens the bundle's sources as create does, for `use`, so that what create would refuse is refused here too. */
export async function withPreview<Result>(
  settings: Settings,
  { bundle, notifySocket }: Planned,
  use: (preview: Preview) => Result,
): Promise<Result> {
  const loaded = loadSpec(bundle, settings.featureGates)
  const { terminal } = loaded.spec.process
  const console = { socket: NUMBERS.console, plainLines: false }
  const options = { id: ID, bundle, loaded, notifySocket, ...(terminal && { console }) }
  const request = await refuse({ ...settings, root: ROOT }, options)
  return await withFdsAsync(async (fds) => {
    const opened = await openInputs(request, { preview: true, traced: false }, fds)
    const inputs = preview(opened, fds)
    return use({ opened, inputs, plans: planAll(inputs) })
  })
}

/** `opened` with what create makes and opens later: the notify socket, the cgroup's mounts, and what the monitor has. */
function preview(opened: Opened, fds: FdScope): AllInputs {
  const { request, cgroup, resctrl } = opened
  const { layout, placement, present } = cgroup
  const sources = request.notifier?.previewNotifySocket(opened.inputs, fds) ?? opened.inputs.sources
  const inputs = { ...opened.inputs, sources }
  // The container's cgroup does not exist: the root of the hierarchy stands for it.
  const pathOf = request.withoutCgroup ? cgroupOf(ownPid()) : () => ''
  const shows = { layout, pathOf, created: inputs.namespaces.created, detached: opened.inputs.sources.mounts }
  return {
    ...inputs,
    cgroupMounts: cgroupMounts(request.spec, shows, fds),
    // Of a create that is called as this is.
    stdio: inputs.userNamespace || inputs.console ? [] : stdioDevices(),
    monitor: monitorFds(opened, resctrl?.facts.tasks.length ?? 0),
    layout,
    present,
    scope: placement.scope,
    filterOf: compileSeccomp,
    mover: NUMBERS.mover,
  }
}

function monitorFds({ cgroup: { layout } }: Opened, others: number): MonitorFds {
  const v1 = layout.hierarchies.filter(({ version }) => version === 1).length
  const unified = layout.hierarchies.some(({ version }) => version === 2) ? NUMBERS.unified : undefined
  const tasks = Array.from({ length: v1 + others }, (_, index) => NUMBERS.tasks + index)
  return { ...NUMBERS, cgroup: { tasks, unified } }
}
