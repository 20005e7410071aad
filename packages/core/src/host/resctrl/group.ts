/** Makes, joins and removes groups of resctrl as plan/group-plan.ts has planned them. */

import { RuntimeError, SpecError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { fileExists, makeDirectory, readText, removeDirectory } from '../../sys/files.ts'
import { readTextIfThere } from '../../sys/if-there.ts'
import { writeExisting } from '../cgroup/cgroupfs.ts'
import { readProcStat } from '../process/proc.ts'
import type { GroupPlan, SchemataLine } from './plan/group-plan.ts'
import { resctrlMountPoint } from './plan/mount-point.ts'
import { firstDifference } from './plan/schemata.ts'

/** Throws RuntimeError when it is not mounted. */
export function resctrlRoot(): string {
  const root = resctrlMountPoint(readText('/proc/self/mountinfo'))
  if (root === undefined) throw new RuntimeError('io', 'linux.intelRdt: no resctrl is mounted on this host')
  return root
}

/** Throws SpecError for what the host lacks, and for a group that is not as the spec wants it; nothing is changed. */
export function checkGroup(root: string, { group, kind, schemata, features }: GroupPlan): void {
  const present = fileExists(group)
  if (kind === 'own' && present)
    throw new SpecError('linux.intelRdt', `${group} exists already: remove it, or name it as linux.intelRdt.closID`)
  if (kind === 'existing' && !present)
    throw new SpecError('linux.intelRdt.closID', `${group} does not exist: make it, or give linux.intelRdt.schemata`)
  if (kind === 'shared' && present) {
    const other = firstDifference(schemata, readText(`${group}/schemata`))
    if (other)
      throw new SpecError(
        `linux.intelRdt.${other.field}`,
        `${group} exists already, and has other schemata than ${JSON.stringify(other.line)}`,
      )
  }
  const available = monitoringFeatures(root)
  for (const { field, names } of features)
    if (!available.some((name) => names.length === 0 || names.includes(name)))
      throw new SpecError(`linux.intelRdt.${field}`, `this host's resctrl does not monitor that: remove it`)
}

/** Makes what does not exist. `made` hears of each directory at once, so that a caller that fails can remove them. */
export function makeGroup(root: string, plan: GroupPlan, made: (directory: string) => void): void {
  const { group, kind, schemata, monitor } = plan
  if (kind !== 'existing' && !(kind === 'shared' && fileExists(group))) {
    makeGroupDirectory(root, group, 'linux.intelRdt')
    made(group)
    writeSchemata(root, group, schemata)
  }
  if (monitor === undefined) return
  makeGroupDirectory(root, monitor, 'linux.intelRdt.enableMonitoring')
  made(monitor)
}

/** All lines at once, so that the kernel takes all or none. Throws SpecError. */
export function writeSchemata(root: string, group: string, lines: readonly SchemataLine[]): void {
  const [first] = lines
  if (first === undefined) return
  const file = `${group}/schemata`
  try {
    writeExisting(file, lines.map(({ line }) => `${line}\n`).join(''))
  } catch (error) {
    const fields = new Set(lines.map(({ field }) => field))
    const field = fields.size === 1 ? `linux.intelRdt.${first.field}` : 'linux.intelRdt'
    const text = JSON.stringify(lines.map(({ line }) => line).join('\n'))
    throw new SpecError(field, `write ${text} to ${file}: ${reasonOf(error)}${lastStatus(root)}`)
  }
}

/** Groups that are gone are gone: an operator may remove them, and a reboot does. */
export function removeGroups(directories: readonly string[]): void {
  for (const directory of directories) {
    try {
      removeDirectory(directory)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue
      throw new RuntimeError('io', `remove the resctrl group ${directory}: ${reasonOf(error)}`, { cause: error })
    }
  }
}

/** No thread in it lives any more; also of one that does not exist. The kernel lists those that nobody has reaped yet. */
export function hasEnded(directory: string): boolean {
  const tasks = (readTextIfThere(`${directory}/tasks`) ?? '').split('\n').filter(Boolean)
  return !tasks.some((task) => /^[^ZX]$/.test(readProcStat(Number(task))?.state ?? 'X'))
}

/** The names in info/L3_MON/mon_features; none where the host cannot monitor. */
export function monitoringFeatures(root: string): string[] {
  const file = `${root}/info/L3_MON/mon_features`
  return fileExists(file) ? readText(file).split('\n').filter(Boolean) : []
}

function makeGroupDirectory(root: string, directory: string, field: string): void {
  try {
    makeDirectory(directory, 0o755)
  } catch (error) {
    throw new SpecError(field, `make the resctrl group ${directory}: ${reasonOf(error)}${lastStatus(root)}`)
  }
}

/** What the kernel says of the last command, which is more than an errno; nothing when it is "ok". */
function lastStatus(root: string): string {
  try {
    const status = readText(`${root}/info/last_cmd_status`).trim().replaceAll('\n', ', ')
    return status === 'ok' || status === '' ? '' : `: ${status}`
  } catch {
    return ''
  }
}
