/** Everything that create plans, in words. */
import { deviceGroupName } from '@crio-lxc/core/host/cgroup/device-group'
import { type PrintedDevicePlan, printDevicePlan } from '@crio-lxc/core/host/cgroup/plan/print-device-plan'
import { type PrintedUnit, printUnit } from '@crio-lxc/core/host/cgroup/plan/print-unit'
import { laterLimits, type UnitPlan, unitProperties } from '@crio-lxc/core/host/cgroup/plan/unit-plan'
import type { GroupPlan } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import { fieldOf, itemOf } from '@crio-lxc/core/oci/field-path'
import { type HookPoint, type HookPointRules, hookPoints } from '@crio-lxc/core/oci/hook-points'
import { idMappingOf } from '@crio-lxc/core/oci/id-mapped-mounts'
import { idMapText } from '@crio-lxc/core/oci/id-mapping-rules'
import type { IdMapping } from '@crio-lxc/core/oci/linux'
import type { Hook, Spec } from '@crio-lxc/core/oci/spec'
import type { Spelling } from '@crio-lxc/core/plan/plan'
import { type PrintedStep, printPlan } from '@crio-lxc/core/plan/print'
import { printSeccompProgram } from '@crio-lxc/core/seccomp/print-program'
import type { Opened } from '../creation/open-inputs.ts'
import type { AllInputs, AllPlans } from '../creation/plan/plan-all.ts'

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

/** A plan before it is printed: what was opened, what stands for the rest, and what is planned with it. */
export interface Preview {
  readonly opened: Opened
  readonly inputs: AllInputs
  readonly plans: AllPlans
}

/** Numbers are numbers, without a spelling. */
export function printAll({ plans, opened, inputs }: Preview, spelling?: Spelling): DebugPlan {
  const { request, resctrl, cgroup } = opened
  const { lxcConfig, launch, wait, container, process, netDevices } = plans
  return {
    lxcConfig,
    cgroup: printCgroup(plans, cgroup.placement.path, { inputs, none: request.settings.withoutCgroup }),
    ...(resctrl && { resctrl: resctrl.plan }),
    idMaps: printIdMaps(request.spec),
    hooks: printHooks(request.spec),
    launch: printPlan(launch, spelling),
    wait: printPlan(wait, spelling),
    container: printPlan(container, spelling),
    ...(process.seccomp && { seccomp: printSeccompProgram(process.seccomp.program) }),
    ...(netDevices && { netDevices: printPlan(netDevices, spelling) }),
  }
}

interface CgroupContext {
  readonly inputs: AllInputs
  /** The container has none of its own. */
  readonly none: boolean
}

function printCgroup(
  { resources, unit }: AllPlans,
  path: string,
  { inputs, none }: CgroupContext,
): DebugPlan['cgroup'] {
  const { hierarchies } = inputs.layout
  return {
    directories: none ? [] : hierarchies.map(({ mountPoint }) => mountPoint + path),
    ...(unit && { unit: printedUnit(unit, inputs) }),
    writes: (unit ?? resources).writes.map(({ hierarchy, file, value }) => ({
      file: `${hierarchy.mountPoint}${path}/${file}`,
      value,
    })),
    ...(resources.devices && { devices: printDevicePlan(resources.devices) }),
  }
}

function printedUnit(unit: UnitPlan, { id, layout }: AllInputs): PrintedUnit {
  const facts = { id, pid: PLACEHOLDER, layout, groupName: deviceGroupName }
  return printUnit(unit.scope, [...unitProperties(unit, facts), ...laterLimits(unit)])
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
