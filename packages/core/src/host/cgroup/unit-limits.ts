/** Limits of a cgroup that systemd manages: the files have them, and systemd has to know them. */
import type { Property } from '../../dbus/signature.ts'
import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf } from '../../errors/system-error.ts'
import { Systemd } from '../systemd/systemd.ts'
import { applyWrites, applyWritesOrRestore, presentCgroup } from './apply-writes.ts'
import { deviceGroupName } from './device-group.ts'
import type { CgroupLayout } from './plan/cgroup-layout.ts'
import type { CgroupWrite } from './plan/cgroup-write.ts'
import type { DevicePlan } from './plan/device-plan.ts'
import { planDeviceUpdate } from './plan/device-update.ts'
import { heldBySystemd } from './plan/held-by-systemd.ts'
import { type FileTexts, isRecent, keyOf, planLimitProperties, takenBy } from './plan/limit-properties.ts'
import { filesToTell, planRestore, type UnitFile, unitFiles } from './plan/unit-files.ts'
import { planDeviceProperties } from './plan/unit-properties.ts'

/** A unit and its cgroup, below every hierarchy's mount point. */
export interface Unit {
  readonly name: string
  readonly path: string
  readonly layout: CgroupLayout
}

/** New limits of a container that runs. */
export interface UnitLimits {
  readonly writes: readonly CgroupWrite[]
  readonly devices: DevicePlan | undefined
}

/**
 * Applies the writes and tells systemd. Throws RuntimeError; then the unit has the limits that it had before.
 * `timeoutMs` bounds each wait for systemd.
 */
export function limitUnit(unit: Unit, { writes, devices }: UnitLimits, timeoutMs: number): void {
  const { name, path, layout } = unit
  const cgroup = presentCgroup(layout, path)
  const held = heldBySystemd(writes, cgroup)
  applyWritesOrRestore(path, held, () => {
    const properties = [...planWritten(unit, held), ...planDeviceProperties(devices, deviceGroupName)]
    if (properties.length === 0) return
    const systemd = new Systemd(timeoutMs)
    try {
      tellUnit(systemd, unit, properties)
    } catch (cause) {
      if (cause instanceof RuntimeError && codeOf(cause) === undefined) throw cause
      throw new RuntimeError('cgroup', `limit the scope ${name}: ${messageOf(cause)}`, { cause })
    } finally {
      systemd.close()
    }
    if (devices) applyWrites(path, planDeviceUpdate(devices, cgroup))
  })
}

/** Properties for what the files say after these writes: the kernel reads more notations than systemd. */
export function planWritten(unit: Unit, writes: readonly CgroupWrite[]): Property[] {
  return planLimitProperties(readTexts(unit, filesToTell(writes)))
}

/** Sets properties of the unit, and puts back what systemd undoes by that. Throws BusError, RuntimeError. */
export function tellUnit(systemd: Systemd, unit: Unit, properties: readonly Property[]): void {
  const told = knownTo(systemd, properties)
  if (told.length === 0) return
  const files = unitFiles(unit.layout)
  const before = readTexts(unit, files)
  systemd.setUnitProperties(unit.name, told)
  applyWrites(unit.path, planRestore(unit.layout, { before, after: readTexts(unit, files), told }))
}

/** systemd refuses a call for one property that it does not know. */
export function knownTo(systemd: Systemd, properties: readonly Property[]): readonly Property[] {
  return properties.some(isRecent) ? takenBy(systemd.version(), properties) : properties
}

function readTexts({ path, layout }: Unit, files: readonly UnitFile[]): FileTexts {
  const { read } = presentCgroup(layout, path)
  return new Map(
    files.flatMap((target) => {
      const text = read(target.hierarchy, target.file)
      return text === undefined ? [] : [[keyOf(target), text]]
    }),
  )
}
