/** systemd makes the container's cgroup, as a transient scope: only it may write where it manages (single writer). */

import type { Property } from '../../dbus/signature.ts'
import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf } from '../../errors/system-error.ts'
import { readText } from '../../sys/files.ts'
import { isBusError, Systemd } from '../systemd/systemd.ts'
import { applyWrites, presentCgroup } from './apply-writes.ts'
import type { CgroupManager, ManagedContainer, SystemdUnits } from './cgroup-manager.ts'
import { makeCgroup, missingDirectories, removeDirectories } from './cgroupfs.ts'
import { checkUnused } from './check-unused.ts'
import { deviceGroupName } from './device-group.ts'
import { Placeholder } from './placeholder.ts'
import { type CgroupLayout, isManagedBySystemd } from './plan/cgroup-layout.ts'
import { type CgroupWrite, isDeviceRule, limitsForks } from './plan/cgroup-write.ts'
import { parseScope, type Scope } from './plan/scope.ts'
import { isTold, planUnit, type UnitPlan, unitProperties } from './plan/unit-plan.ts'
import { planMonitorProperties } from './plan/unit-properties.ts'
import { knownTo, planWritten, tellUnit, type Unit } from './unit-limits.ts'

/** Throws SpecError for annotations that are no properties. Connects when it is needed first. */
export class SystemdManager implements CgroupManager {
  readonly path: string
  readonly monitorPath: string
  readonly units: SystemdUnits
  readonly #container: ManagedContainer
  readonly #plan: UnitPlan
  readonly #monitorScope: Scope | undefined
  #connection: Systemd | undefined
  #placeholder: Placeholder | undefined
  #started = false
  #withdraw = (): void => undefined

  constructor(container: ManagedContainer) {
    const { id, layout, placement, monitorCgroup, resident, annotations, writes, devices } = container
    if (!placement.scope) throw new Error('a container of systemd has a scope')
    this.#container = container
    this.#monitorScope = resident ? parseMonitorScope(monitorCgroup, id) : undefined
    this.path = placement.path
    const present = presentCgroup(layout, this.path)
    this.#plan = planUnit({ scope: placement.scope, present, annotations, writes, devices })
    this.monitorPath = this.#monitorScope?.path ?? `/${monitorCgroup}/${id}`
    this.units = {
      container: placement.scope.unit,
      ...(this.#monitorScope && { monitor: this.#monitorScope.unit }),
    }
  }

  missingDirectories(): string[] {
    return missingDirectories(this.#foreignLayout, this.path)
  }

  /** The name of the unit is the claim: systemd starts none that is there. */
  make(): void {
    const { id, layout, executor, arch } = this.#container
    checkUnused(layout, this.path)
    this.#placeholder = Placeholder.launch(executor, arch)
    const { pid } = this.#placeholder
    this.#start(this.#scope, unitProperties(this.#plan, { id, pid, layout, groupName: deviceGroupName }))
    this.#started = true
    this.#checkPlace(pid)
    this.#withdraw = makeCgroup(layout, this.path)
  }

  joined(): void {
    this.#placeholder?.end()
  }

  limit(): void {
    applyWrites(
      this.path,
      this.#writes.filter((write) => !limitsForks(write)),
    )
  }

  limitForks(): void {
    applyWrites(this.path, this.#writes.filter(limitsForks))
    const properties = planWritten(this.#unit, this.#writes).filter((property) => !isTold(this.#plan, property))
    if (properties.length === 0) return
    this.#do('limit', this.#scope.unit, (systemd) => tellUnit(systemd, this.#unit, properties))
    // Of devices systemd has no words for all that the files have, and no file that could be read says it.
    applyWrites(this.path, this.#writes.filter(isDeviceRule))
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

  undo(made: readonly string[]): void {
    // Otherwise they are those of whose unit it is.
    if (!this.#started) return
    try {
      removeDirectories(made)
    } finally {
      stopUnits([this.#scope.unit], this.#container.timeoutMs)
    }
    this.#withdraw()
  }

  get #scope(): Scope {
    return this.#plan.scope
  }

  get #writes(): readonly CgroupWrite[] {
    return this.#plan.writes
  }

  get #unit(): Unit {
    return { name: this.#scope.unit, path: this.path, layout: this.#container.layout }
  }

  /** The hierarchies that systemd leaves alone. */
  get #foreignLayout(): CgroupLayout {
    const { layout } = this.#container
    return { ...layout, hierarchies: layout.hierarchies.filter((hierarchy) => !isManagedBySystemd(hierarchy)) }
  }

  /** A unit that has failed keeps its name until somebody resets it: what is left of it is nobody's. */
  #start(scope: Scope, properties: readonly Property[]): void {
    this.#do('start', scope.unit, (systemd, unit) => {
      const known = knownTo(systemd, properties)
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
      if (cause instanceof RuntimeError && codeOf(cause) === undefined) throw cause
      const advice = isBusError(cause, 'UnitExists') ? ': choose another linux.cgroupsPath' : ''
      throw new RuntimeError('cgroup', `${what} the scope ${unit}: ${messageOf(cause)}${advice}`, { cause })
    }
  }

  /** systemd decides where its units are: one that runs below another manager puts them elsewhere. */
  #checkPlace(pid: number): void {
    const lines = readText(`/proc/${pid}/cgroup`).split('\n')
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
  endEach('stop', units, timeoutMs, (systemd, unit) => {
    systemd.stopUnit(unit)
    resetFailedUnit(systemd, unit)
  })
}

/** Units that have failed give their names free; those that have not go on. Throws RuntimeError. */
export function forgetUnits(units: readonly string[], timeoutMs: number): void {
  endEach('reset', units, timeoutMs, resetFailedUnit)
}

function endEach(
  what: string,
  units: readonly string[],
  timeoutMs: number,
  end: (systemd: Systemd, unit: string) => void,
): void {
  const systemd = new Systemd(timeoutMs)
  try {
    for (const unit of units) {
      try {
        end(systemd, unit)
      } catch (cause) {
        if (isBusError(cause, 'NoSuchUnit')) continue
        throw new RuntimeError('cgroup', `${what} the scope ${unit}: ${messageOf(cause)}`, { cause })
      }
    }
  } finally {
    systemd.close()
  }
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
