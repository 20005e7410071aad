/** A container's transient unit: what systemd is told of it, and what its files hold then. PURE. */
import { isSameValue, type Property } from '../../../dbus/signature.ts'
import type { CgroupLayout } from './cgroup-layout.ts'
import { type CgroupWrite, limitsForks } from './cgroup-write.ts'
import type { PresentCgroup } from './controller.ts'
import type { DevicePlan } from './device-plan.ts'
import { heldBySystemd } from './held-by-systemd.ts'
import { planLimitProperties, planStartProperties, textsOf } from './limit-properties.ts'
import type { Scope } from './scope.ts'
import { planAnnotatedProperties } from './unit-annotations.ts'
import { planDeviceProperties, planScopeProperties } from './unit-properties.ts'

export interface UnitInputs {
  readonly scope: Scope
  readonly present: PresentCgroup
  readonly annotations: Readonly<Record<string, string>> | undefined
  readonly writes: readonly CgroupWrite[]
  readonly devices: DevicePlan | undefined
}

export interface UnitPlan {
  readonly scope: Scope
  readonly devices: DevicePlan | undefined
  /** With the values that systemd can keep. */
  readonly writes: readonly CgroupWrite[]
  /** The limits that the unit begins with. */
  readonly limits: readonly Property[]
  readonly annotated: readonly Property[]
}

/** Throws SpecError for annotations that are no properties. */
export function planUnit({ scope, present, annotations, writes, devices }: UnitInputs): UnitPlan {
  const annotated = planAnnotatedProperties(annotations)
  const held = heldBySystemd(writes, present)
  return { scope, devices, writes: held, limits: limitsOf(held.filter((write) => !limitsForks(write))), annotated }
}

/** Names what the host says: the process that the unit begins with, and the majors that /proc/devices has. */
export interface UnitFacts {
  readonly id: string
  readonly pid: number
  readonly layout: CgroupLayout
  readonly groupName: (type: 'b' | 'c', major: number) => string | undefined
}

/** What the unit is started with. */
export function unitProperties({ scope, devices, limits, annotated }: UnitPlan, facts: UnitFacts): Property[] {
  return [
    ...planScopeProperties(scope, facts),
    ...planDeviceProperties(devices, facts.groupName),
    ...limits,
    ...annotated,
  ]
}

/** The limits that systemd is told of once nothing more is forked into the unit. */
export function laterLimits(unit: UnitPlan): Property[] {
  return limitsOf(unit.writes).filter((property) => !isTold(unit, property))
}

export function isTold({ limits }: UnitPlan, [name, { value }]: Property): boolean {
  return limits.some(([other, variant]) => other === name && isSameValue(variant.value, value))
}

function limitsOf(writes: readonly CgroupWrite[]): Property[] {
  const texts = textsOf(writes)
  return [...planLimitProperties(texts), ...planStartProperties(texts)]
}
