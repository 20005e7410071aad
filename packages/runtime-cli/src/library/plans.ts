/** Everything that create plans, as data that a program goes on with; for people `debug plan` has words for all of it. */
import type { Property } from '@crio-lxc/core/dbus/signature'
import { deviceGroupName } from '@crio-lxc/core/host/cgroup/device-group'
import type { DeviceException } from '@crio-lxc/core/host/cgroup/plan/device-policy'
import { laterLimits, type UnitPlan, unitProperties } from '@crio-lxc/core/host/cgroup/plan/unit-plan'
import type { GroupPlan } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import { fieldOf, itemOf } from '@crio-lxc/core/oci/field-path'
import { type HookPoint, type HookPointRules, hookPoints } from '@crio-lxc/core/oci/hook-points'
import { idMappingOf } from '@crio-lxc/core/oci/id-mapped-mounts'
import type { IdMapping } from '@crio-lxc/core/oci/linux'
import type { Hook, Spec } from '@crio-lxc/core/oci/spec'
import { type Arg, Bytes, type Plan, Slot, type Step, type StepRole } from '@crio-lxc/core/plan/plan'
import type { AllInputs, AllPlans } from '../creation/plan/plan-all.ts'
import type { Preview } from '../plan-text/print-all.ts'

/** What planAll returns. Numbers of fds stand for what create would open: they differ from call to call. */
export interface Plans {
  /** The text of liblxc's config. */
  readonly lxcConfig: string
  readonly cgroup: PlannedCgroup
  /** The group of linux.intelRdt. */
  readonly resctrl?: GroupPlan
  /** Of the mounts that are idmapped. */
  readonly idMaps: readonly PlannedIdMap[]
  /** All of them, in the order in which they run. */
  readonly hooks: readonly PlannedHook[]
  /** What becomes the monitor runs it. */
  readonly launch: readonly PlannedStep[]
  /** What init runs before the container's plan. */
  readonly wait: readonly PlannedStep[]
  /** What makes the container, run by init. */
  readonly container: readonly PlannedStep[]
  /** What another process does while init waits; absent when init fetches linux.netDevices itself. */
  readonly netDevices?: readonly PlannedStep[]
  /** linux.seccomp: instructions of linux/filter.h, and the flags of seccomp(2). */
  readonly seccomp?: { readonly program: Uint8Array; readonly flags: number }
}

export interface PlannedCgroup {
  /** Absolute paths, one for each hierarchy; none without a cgroup of its own. */
  readonly directories: readonly string[]
  /** The transient unit of systemd, with its properties as they are set on the bus; absent without systemdCgroup. */
  readonly unit?: { readonly name: string; readonly properties: readonly Property[] }
  /** In order; `field` is that of config.json which asks for it. */
  readonly writes: readonly { readonly file: string; readonly value: string; readonly field: string }[]
  /** `allow` is what holds for a device without an exception; absent when every device may be used. */
  readonly devices?: { readonly allow: boolean; readonly exceptions: readonly DeviceException[] }
}

export interface PlannedIdMap {
  /** Index in `mounts`. */
  readonly mount: number
  /** The mounts below it too. */
  readonly recursive: boolean
  readonly uidMappings: readonly IdMapping[]
  readonly gidMappings: readonly IdMapping[]
}

export interface PlannedHook {
  /** `hooks.createRuntime[0]`. */
  readonly field: string
  readonly by: HookPointRules['by']
  readonly namespaces: HookPointRules['namespaces']
  readonly hook: Hook
}

/** A step of one of the plans. */
export interface PlannedStep {
  /** In words that complete "… failed". */
  readonly what: string
  /** `openat`, `move_mount` and so on, or `move`, `fail`, `status` or `and` of the executor's own. */
  readonly call: string
  readonly args: readonly PlannedArgument[]
  /** The name of what takes the result; an argument of a later step has it. */
  readonly result?: string
  /** Errors that are no failure. */
  readonly ignore?: readonly string[]
  /** Index of the step that follows success, when that is not the next one. */
  readonly onOk?: number
  /** `onOk` is for a result that is not 0. */
  readonly onOkIfNonZero?: boolean
  /** Index of the step that follows an ignored error, when that is not the next one. */
  readonly onIgnored?: number
  readonly role?: StepRole
}

/** A number, the result of an earlier step, or the bytes that the argument points at with how strace(1) would print them. */
export type PlannedArgument =
  | number
  | { readonly result: string }
  | { readonly bytes: Uint8Array; readonly text: string }

export function plansOf({ plans, opened, inputs }: Preview): Plans {
  const { request, resctrl, cgroup } = opened
  const { lxcConfig, launch, wait, container, process, netDevices } = plans
  const { seccomp } = process
  return {
    lxcConfig,
    cgroup: cgroupOf(plans, inputs, request.settings.withoutCgroup ? undefined : cgroup.placement.path),
    ...(resctrl && { resctrl: resctrl.plan }),
    idMaps: idMapsOf(request.spec),
    hooks: hooksOf(request.spec),
    launch: stepsOf(launch),
    wait: stepsOf(wait),
    container: stepsOf(container),
    ...(netDevices && { netDevices: stepsOf(netDevices) }),
    ...(seccomp && { seccomp: { program: seccomp.program, flags: seccomp.flags } }),
  }
}

/** Without a path there is no cgroup of its own, and no limit either. */
function cgroupOf({ resources, unit }: AllPlans, inputs: AllInputs, path: string | undefined): PlannedCgroup {
  const directories = path === undefined ? [] : inputs.layout.hierarchies.map(({ mountPoint }) => mountPoint + path)
  const writes = (unit ?? resources).writes.map(({ hierarchy, file, value, field }) => ({
    file: `${hierarchy.mountPoint}${path}/${file}`,
    value,
    field,
  }))
  const { devices } = resources
  return {
    directories,
    ...(unit && { unit: { name: unit.scope.unit, properties: propertiesOf(unit, inputs) } }),
    writes,
    ...(devices && { devices: devices.policy }),
  }
}

/** The scope begins with a process of its own, whose pid 0 stands for. */
function propertiesOf(unit: UnitPlan, { id, layout }: AllInputs): Property[] {
  return [...unitProperties(unit, { id, pid: 0, layout, groupName: deviceGroupName }), ...laterLimits(unit)]
}

function idMapsOf(spec: Spec): PlannedIdMap[] {
  return (spec.mounts ?? []).flatMap((each, mount) => {
    const mapping = idMappingOf(each, spec)
    if (!mapping) return []
    const { recursive, uidMappings, gidMappings } = mapping
    return [{ mount, recursive, uidMappings, gidMappings }]
  })
}

function hooksOf({ hooks }: Spec): PlannedHook[] {
  return (Object.keys(hookPoints) as HookPoint[]).flatMap((point) => {
    const { by, namespaces } = hookPoints[point]
    return (hooks?.[point] ?? []).map((hook, index) => ({
      field: itemOf(fieldOf('hooks', point), index),
      by,
      namespaces,
      hook,
    }))
  })
}

function stepsOf(plan: Plan): PlannedStep[] {
  const { data, steps } = plan
  const names = new Map<number, string>()
  const resultName = ({ name, offset }: Slot): string => {
    const known = names.get(offset)
    if (known !== undefined) return known
    const taken = [...names.values()].filter((other) => other.replace(/#\d+$/, '') === name).length
    const unique = taken > 0 ? `${name}#${taken + 1}` : name
    names.set(offset, unique)
    return unique
  }
  const argument = (arg: Arg): PlannedArgument => {
    if (arg instanceof Slot) return { result: resultName(arg) }
    if (arg instanceof Bytes) return { bytes: data.slice(arg.offset, arg.offset + arg.length), text: arg.show() }
    return arg
  }
  return steps.map((step) => stepOf(step, argument, resultName))
}

function stepOf(step: Step, argument: (arg: Arg) => PlannedArgument, resultName: (slot: Slot) => string): PlannedStep {
  const { what, call, args, result, ignore, onOk, onOkIfNonZero, onIgnored, role } = step
  return {
    what,
    call,
    args: args.map(argument),
    ...(result && { result: resultName(result) }),
    ...(ignore?.length && { ignore }),
    ...(onOk && { onOk: onOk.index }),
    ...(onOkIfNonZero && { onOkIfNonZero }),
    ...(onIgnored && { onIgnored: onIgnored.index }),
    ...(role && { role }),
  }
}
