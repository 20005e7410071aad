/** systemd makes the container's cgroup, as a transient scope: only it may write where it manages (single writer). */
import { readFileSync } from 'node:fs'
import { messageOf, RuntimeError } from '../errors/runtime-error.ts'
import { isBusError, Systemd } from '../systemd/systemd.ts'
import { applyWrites } from './apply-writes.ts'
import type { CgroupManager, ManagedContainer, SystemdUnits } from './cgroup-manager.ts'
import { makeCgroup, missingDirectories } from './cgroupfs.ts'
import { checkUnused } from './check-unused.ts'
import { deviceGroupName } from './device-group.ts'
import { Placeholder } from './placeholder.ts'
import { type CgroupLayout, isManagedBySystemd } from './plan/cgroup-layout.ts'
import { type CgroupWrite, limitsForks } from './plan/cgroup-write.ts'
import type { DevicePlan } from './plan/device-plan.ts'
import { parseScope, type Scope } from './plan/scope.ts'
import { planAnnotatedProperties } from './plan/unit-annotations.ts'
import {
  isIdle,
  type Property,
  planDeviceProperties,
  planLimitProperties,
  planMonitorProperties,
  planScopeProperties,
} from './plan/unit-properties.ts'

/** Throws SpecError for annotations that are no properties. Connects when it is needed first. */
export class SystemdManager implements CgroupManager {
  readonly path: string
  readonly monitorPath: string
  readonly units: SystemdUnits
  readonly #container: ManagedContainer
  readonly #scope: Scope
  readonly #monitorScope: Scope | undefined
  readonly #annotated: readonly Property[]
  #connection: Systemd | undefined
  #placeholder: Placeholder | undefined
  #started = false

  constructor(container: ManagedContainer) {
    const { id, placement, monitorCgroup, resident, annotations } = container
    if (!placement.scope) throw new Error('a container of systemd has a scope')
    this.#container = container
    this.#scope = placement.scope
    this.#monitorScope = resident ? parseMonitorScope(monitorCgroup, id) : undefined
    this.#annotated = planAnnotatedProperties(annotations)
    this.path = placement.path
    this.monitorPath = this.#monitorScope?.path ?? `/${monitorCgroup}/${id}`
    this.units = {
      container: this.#scope.unit,
      ...(this.#monitorScope && { monitor: this.#monitorScope.unit }),
    }
  }

  missingDirectories(): string[] {
    return missingDirectories(this.#foreignLayout, this.path)
  }

  checkUnused(): void {
    checkUnused(this.#container.layout, this.path)
  }

  make(): void {
    const { id, layout, writes, devices, init, arch } = this.#container
    this.#placeholder = new Placeholder(init, arch)
    const { pid } = this.#placeholder
    this.#start(this.#scope, [
      ...planScopeProperties(this.#scope, { id, pid, layout }),
      ...planDeviceProperties(devices, deviceGroupName),
      ...planLimitProperties(writes.filter((write) => !limitsForks(write))),
      ...this.#annotated,
    ])
    this.#started = true
    this.#checkPlace(pid)
    makeCgroup(layout, this.path)
  }

  joined(): void {
    this.#placeholder?.end()
  }

  /** The files as well: systemd rounds, has no property for many of them, and applies its own only later. */
  limit(writes: readonly CgroupWrite[]): void {
    const late = planLimitProperties(writes.filter(limitsForks))
    if (late.length > 0) this.#do('limit', this.#scope.unit, (systemd, unit) => systemd.setUnitProperties(unit, late))
    applyWrites(this.path, writes)
  }

  placeMonitor(pid: number): void {
    const scope = this.#monitorScope
    if (scope) this.#start(scope, planMonitorProperties(scope, { id: this.#container.id, pid }))
  }

  close(): void {
    this.#placeholder?.end()
    this.#connection?.close()
    this.#connection = undefined
  }

  undo(): void {
    if (this.#started) stopUnits([this.#scope.unit], this.#container.timeoutMs)
  }

  /** The hierarchies that systemd leaves alone. */
  get #foreignLayout(): CgroupLayout {
    const { layout } = this.#container
    return { ...layout, hierarchies: layout.hierarchies.filter((hierarchy) => !isManagedBySystemd(hierarchy)) }
  }

  /** A unit that has failed keeps its name until somebody resets it: what is left of it is nobody's. */
  #start(scope: Scope, properties: readonly Property[]): void {
    this.#do('start', scope.unit, (systemd, unit) => {
      const known = withoutUnknown(systemd, properties)
      try {
        systemd.startTransientUnit(unit, known)
      } catch (error) {
        if (!isBusError(error, 'UnitExists')) throw error
        resetFailedUnit(systemd, unit)
        systemd.startTransientUnit(unit, known)
      }
    })
  }

  #do(what: string, unit: string, action: (systemd: Systemd, unit: string) => void): void {
    this.#connection ??= new Systemd(this.#container.timeoutMs)
    try {
      action(this.#connection, unit)
    } catch (cause) {
      if (cause instanceof RuntimeError) throw cause
      const advice = isBusError(cause, 'UnitExists') ? ': choose another linux.cgroupsPath' : ''
      throw new RuntimeError('cgroup', `${what} the scope ${unit}: ${messageOf(cause)}${advice}`, { cause })
    }
  }

  /** systemd decides where its units are: one that runs below another manager puts them elsewhere. */
  #checkPlace(pid: number): void {
    const lines = readFileSync(`/proc/${pid}/cgroup`, 'latin1').split('\n')
    const line = lines.find((text) => text.startsWith('0::')) ?? lines.find((text) => text.includes(':name=systemd:'))
    const place = line?.slice(line.indexOf(':', line.indexOf(':') + 1) + 1)
    if (place === this.path) return
    throw new RuntimeError(
      'cgroup',
      `start the scope ${this.#scope.unit}: systemd made it at ${place}, not ${this.path}`,
    )
  }
}

/** Ends units with what is left in them; those that are gone are no error. Throws RuntimeError. */
export function stopUnits(units: readonly string[], timeoutMs: number): void {
  const systemd = new Systemd(timeoutMs)
  try {
    for (const unit of units) {
      try {
        systemd.stopUnit(unit)
        resetFailedUnit(systemd, unit)
      } catch (cause) {
        if (isBusError(cause, 'NoSuchUnit')) continue
        throw new RuntimeError('cgroup', `stop the scope ${unit}: ${messageOf(cause)}`, { cause })
      }
    }
  } finally {
    systemd.close()
  }
}

/** New limits of a container that runs. */
export interface UnitLimits {
  readonly writes: readonly CgroupWrite[]
  readonly devices: DevicePlan | undefined
}

/** Tells systemd about new limits, before they are written: it has applied its own when this returns. Throws RuntimeError. */
export function limitUnit(unit: string, { writes, devices }: UnitLimits, timeoutMs: number): void {
  const properties = [...planLimitProperties(writes), ...planDeviceProperties(devices, deviceGroupName)]
  if (properties.length === 0) return
  const systemd = new Systemd(timeoutMs)
  try {
    systemd.setUnitProperties(unit, withoutUnknown(systemd, properties))
  } catch (cause) {
    throw new RuntimeError('cgroup', `limit the scope ${unit}: ${messageOf(cause)}`, { cause })
  } finally {
    systemd.close()
  }
}

/** systemd refuses a call for one property that it does not know. */
function withoutUnknown(systemd: Systemd, properties: readonly Property[]): readonly Property[] {
  if (!properties.some(isIdle) || systemd.version() >= 252) return properties
  return properties.filter((property) => !isIdle(property))
}

function resetFailedUnit(systemd: Systemd, unit: string): void {
  try {
    systemd.resetFailedUnit(unit)
  } catch (error) {
    if (!isBusError(error, 'NoSuchUnit')) throw error
  }
}

function parseMonitorScope(monitorCgroup: string, id: string): Scope {
  if (!/^[^/:]+\.slice$/.test(monitorCgroup))
    throw new RuntimeError(
      'usage',
      `--monitor-cgroup ${monitorCgroup}: with --systemd-cgroup it has to be the name of a slice: give NAME.slice`,
    )
  return parseScope(`${monitorCgroup}:crio-lxc-monitor:${id.replaceAll('+', '\\x2b')}`, '--monitor-cgroup')
}
