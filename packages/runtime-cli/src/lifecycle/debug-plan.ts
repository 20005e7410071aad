/** debug plan: everything that create would do with a bundle, as data, without doing any of it. */

import { presentCgroup } from '@crio-lxc/core/cgroup/apply-writes'
import { resolveCgroupsPath } from '@crio-lxc/core/cgroup/cgroups-path'
import { deviceGroupName } from '@crio-lxc/core/cgroup/device-group'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { heldBySystemd } from '@crio-lxc/core/cgroup/plan/held-by-systemd'
import { planLimitProperties, planStartProperties, textsOf } from '@crio-lxc/core/cgroup/plan/limit-properties'
import { type PrintedDevicePlan, printDevicePlan } from '@crio-lxc/core/cgroup/plan/print-device-plan'
import { type PrintedUnit, printUnit } from '@crio-lxc/core/cgroup/plan/print-unit'
import { planAnnotatedProperties } from '@crio-lxc/core/cgroup/plan/unit-annotations'
import { planDeviceProperties, planScopeProperties } from '@crio-lxc/core/cgroup/plan/unit-properties'
import { type HookPoint, type HookPointRules, hookPoints } from '@crio-lxc/core/hook/hook-points'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { openNetDevices } from '@crio-lxc/core/host/net-devices'
import { fieldOf, itemOf } from '@crio-lxc/core/oci/field-path'
import { idMappingOf } from '@crio-lxc/core/oci/id-mapped-mounts'
import { idMapText } from '@crio-lxc/core/oci/id-mapping-rules'
import type { IdMapping } from '@crio-lxc/core/oci/linux'
import type { Hook, Spec } from '@crio-lxc/core/oci/spec'
import { type PrintedStep, printPlan } from '@crio-lxc/core/plan/print'
import type { GroupPlan } from '@crio-lxc/core/resctrl/plan/group-plan'
import { printSeccompProgram } from '@crio-lxc/core/seccomp/print-program'
import { close } from '@crio-lxc/core/sys/fd'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { planContainer } from '@crio-lxc/init/container-plan'
import { planNetDeviceProcess } from '@crio-lxc/init/net-device-plan'
import { planWait } from '@crio-lxc/init/wait-plan'
import { planLaunch } from '@crio-lxc/start-monitor/launch-plan'
import { lxcConfig } from '@crio-lxc/start-monitor/lxc-config'
import { type Notifier, notifierOf } from '../caller/notifier.ts'
import { Gate } from '../creation/gate.ts'
import { loadSpec } from '../creation/load-spec.ts'
import { ResctrlGroup } from '../creation/resctrl.ts'
import { planResources } from '../creation/resource-plan.ts'
import { appliedSeccomp, processInputs } from '../entering/process-inputs.ts'
import { checkHooks, checkHooksWithAgent } from '../hooks/check-hooks.ts'
import { companionsOf } from '../installation/companions.ts'
import { hostArch } from '../installation/host-arch.ts'
import { openNamespaces, sharesPids, sharesSysfs } from '../namespaces/namespaces.ts'
import { userNamespaceOf } from '../namespaces/user-namespace.ts'
import type { Settings } from '../settings.ts'
import { cgroupMounts } from '../sources/cgroup-mounts.ts'
import { resolveDestinations } from '../sources/destinations.ts'
import { idMapperOf } from '../sources/id-mappers.ts'
import { openSources } from '../sources/sources.ts'
import { Undo } from '../undo.ts'

/** Numbers of fds stand for what create would open: they differ from call to call. */
export interface DebugPlan {
  readonly lxcConfig: string
  /** File and value, in order. */
  readonly cgroup: {
    readonly directories: string[]
    /** The transient unit of systemd; absent without --systemd-cgroup. */
    readonly unit?: PrintedUnit
    readonly writes: { readonly file: string; readonly value: string }[]
    /** Absent when every device may be used. */
    readonly devices?: PrintedDevicePlan
  }
  /** The group of linux.intelRdt. */
  readonly resctrl?: GroupPlan
  /** What create does on the host with the mounts that are idmapped. */
  readonly idMaps: PrintedIdMap[]
  /** All of them, in the order in which they run. */
  readonly hooks: PrintedHook[]
  readonly launch: PrintedStep[]
  readonly wait: PrintedStep[]
  readonly container: PrintedStep[]
  /** The program of linux.seccomp, that of linux/filter.h. */
  readonly seccomp?: string[]
  /** What another process does while init waits; absent when init fetches linux.netDevices itself. */
  readonly netDevices?: PrintedStep[]
}

export interface PrintedIdMap {
  readonly mount: string
  /** The mounts below it too. */
  readonly recursive: boolean
  /** Lines of uid_map and gid_map: the id on disk, the one that is seen, how many. */
  readonly uidMap: string[]
  readonly gidMap: string[]
}

export interface PrintedHook {
  /** `hooks.createRuntime[0]`. */
  readonly hook: string
  readonly by: HookPointRules['by']
  readonly namespaces: HookPointRules['namespaces']
  readonly path: string
  readonly args?: readonly string[]
  /** Seconds. */
  readonly timeout?: Hook['timeout']
}

/** Stands for the pid of the process that the scope begins with. */
const PLACEHOLDER = 0

/** Opens the bundle's sources as create does, so that what create would refuse is refused here too. */
export async function debugPlan(
  settings: Settings,
  { bundle, notifySocket }: { bundle: string; notifySocket?: string | undefined },
): Promise<DebugPlan> {
  const notify = await notifierOf({ notifySocket })
  const { spec } = loadSpec(bundle, settings.featureGates)
  const fds = new Undo()
  try {
    return await plan(spec, { settings, bundle, notify, fds })
  } finally {
    fds.run(undefined)
  }
}

interface Planning {
  readonly settings: Settings
  readonly bundle: string
  readonly notify: Notifier | undefined
  readonly fds: Undo
}

async function plan(spec: Spec, { settings, bundle, notify, fds }: Planning): Promise<DebugPlan> {
  const arch = hostArch()
  const companions = companionsOf(settings)
  const layout = cgroupLayout()
  const placement = resolveCgroupsPath(spec.linux?.cgroupsPath, {
    id: 'ID',
    systemd: settings.systemdCgroup,
    none: settings.withoutCgroup,
  })
  const { path: cgroupDir, scope } = placement
  const intelRdt = hostHas('resctrl') ? spec.linux?.intelRdt : undefined
  const resctrl = intelRdt && ResctrlGroup.of(intelRdt, 'ID').plan
  const cgroup = presentCgroup(layout, cgroupDir)
  const resources = planResources(spec, cgroup, settings.featureGates)
  const writes = scope ? heldBySystemd(resources.writes, cgroup) : resources.writes
  const rootfs = spec.root.path.startsWith('/') ? spec.root.path : `${bundle}/${spec.root.path}`
  const namespaces = openNamespaces(spec)
  const closeLater = (open: Iterable<number>): void =>
    fds.push(() => {
      for (const fd of open) close(fd)
    })
  closeLater(namespaces.shared.values())
  const mapping = { arch, init: companions.init, timeoutMs: settings.timeouts.createMs, namespaces }
  const userNamespace = userNamespaceOf(spec, mapping)
  const idMapper = await idMapperOf(spec, mapping)
  if (idMapper) fds.push(() => idMapper.close())
  const sources = openSources(spec, {
    bundle,
    rootfs,
    ids: userNamespace,
    idMapper,
    hostSysfs: sharesSysfs(namespaces),
    preview: true,
  })
  closeLater(sources.fds)
  const prepared = notify?.previewNotifySocket({ spec, sources })
  if (prepared) closeLater([prepared.fd])
  const mounted = prepared ?? { spec, sources }
  const profile = appliedSeccomp(spec.linux, settings.featureGates)
  const process = processInputs(mounted.spec.process, {
    linux: spec.linux,
    gates: settings.featureGates,
    root: sources.rootfs,
    userNamespace: userNamespace !== undefined,
    seccomp: profile && compileSeccomp(profile),
  })
  const ownMounts = namespaces.created.has('mount')
  checkHooks(spec.hooks, { ownMounts, hook: companions.hook })
  if (process.seccomp?.notifies) checkHooksWithAgent(spec.hooks)
  const netDevices = openNetDevices(spec.linux?.netDevices)
  if (netDevices) closeLater([netDevices.socket])
  const [moved, fetched] = userNamespace ? [netDevices] : [undefined, netDevices]
  const gate = Gate.of(spec, { libexec: companions.libexec, rootfs, ownMounts, movesDevices: moved !== undefined })
  if (gate) fds.push(() => gate.close())
  const { created } = namespaces
  // The container's cgroup does not exist: the root of the hierarchy stands for it.
  const shown = cgroupMounts(spec, { layout, pathOf: () => '', created, detached: sources.mounts })
  closeLater(shown.fds)
  const staged = [...mounted.sources.staged, ...shown.staged]
  const [plan, go, report, log, fifoDirectory, wait] = [200, 201, 202, 203, 204, 207] as const
  const container = planContainer({
    arch,
    spec: { ...spec, mounts: resolveDestinations(mounted.spec.mounts ?? [], mounted.sources) },
    process,
    namespaces: { all: new Set([...namespaces.created, ...namespaces.shared.keys()]), created: namespaces.created },
    fds: {
      ...mounted.sources,
      cgroupNamespace: namespaces.shared.get('cgroup'),
      fifoDirectory,
      report,
      console: spec.process.terminal ? { socket: 205, plainLines: false } : undefined,
      stdio: [],
      netDevices: fetched,
      gate: gate?.plan,
      preserved: 0,
    },
    cgroup: shown.mounts,
    newKeyring: true,
    userNamespace: userNamespace && { staged },
  })
  const launch = planLaunch({
    arch,
    cgroup: {
      tasks: layout.hierarchies.flatMap(({ version }, index) => (version === 1 ? [210 + index] : [])),
      unified: layout.hierarchies.some(({ version }) => version === 2) ? 206 : undefined,
    },
    report,
    hostTree: gate?.plan.hostTree?.fd,
    timeNamespace: namespaces.shared.get('time'),
    timeOffsets: userNamespace && namespaces.created.has('time') ? spec.linux?.timeOffsets : undefined,
    stage: companions.stage,
    staged: userNamespace && staged,
    hostPids: userNamespace !== undefined && sharesPids(namespaces),
    command: [companions.start, 'ID', `${companions.libexec}/lxc`, 'ROOT/ID/config'],
  })
  return {
    lxcConfig: lxcConfig({
      libexec: companions.libexec,
      newNamespaces: [...namespaces.created],
      sharedNamespaces: namespaces.shared,
      idMappings: userNamespace,
      plan: wait,
      log,
      logLevel: settings.containerLogLevel,
    }),
    cgroup: {
      directories: settings.withoutCgroup ? [] : layout.hierarchies.map(({ mountPoint }) => mountPoint + cgroupDir),
      ...(scope && {
        unit: printUnit(scope, [
          ...planScopeProperties(scope, { id: 'ID', pid: PLACEHOLDER, layout }),
          ...planDeviceProperties(resources.devices, deviceGroupName),
          ...planLimitProperties(textsOf(writes)),
          ...planStartProperties(textsOf(writes)),
          ...planAnnotatedProperties(spec.annotations),
        ]),
      }),
      writes: writes.map(({ hierarchy, file, value }) => ({
        file: `${hierarchy.mountPoint}${cgroupDir}/${file}`,
        value,
      })),
      ...(resources.devices && { devices: printDevicePlan(resources.devices) }),
    },
    ...(resctrl && { resctrl }),
    idMaps: printIdMaps(spec),
    hooks: printHooks(spec),
    launch: printPlan(launch),
    wait: printPlan(planWait({ arch, go, plan })),
    container: printPlan(container),
    ...(process.seccomp && { seccomp: printSeccompProgram(process.seccomp.program) }),
    ...(moved && { netDevices: printPlan(planNetDeviceProcess({ arch, namespace: 208, netDevices: moved, report })) }),
  }
}

function printHooks({ hooks }: Spec): PrintedHook[] {
  return (Object.keys(hookPoints) as HookPoint[]).flatMap((point) => {
    const { by, namespaces } = hookPoints[point]
    return (hooks?.[point] ?? []).map(({ path, args, timeout }, index) => ({
      hook: itemOf(fieldOf('hooks', point), index),
      by,
      namespaces,
      path,
      ...(args && { args }),
      ...(timeout && { timeout }),
    }))
  })
}

function printIdMaps(spec: Spec): PrintedIdMap[] {
  return (spec.mounts ?? []).flatMap((mount, index) => {
    const mapping = idMappingOf(mount, spec)
    if (!mapping) return []
    const [uidMap, gidMap] = [mapping.uidMappings, mapping.gidMappings].map(idMapLines) as [string[], string[]]
    return [{ mount: `mounts[${index}] ${mount.destination}`, recursive: mapping.recursive, uidMap, gidMap }]
  })
}

function idMapLines(mappings: readonly IdMapping[]): string[] {
  return idMapText(mappings).split('\n').filter(Boolean)
}
