/** Limits that containers run into together. */
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import type { Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { readText } from '@crio-lxc/core/sys/files'
import { type Finding, ok, warning } from './finding.ts'
import { hostLine } from './host-text.ts'

/** Create holds a descriptor for each mount, device and namespace. */
const FEW_FILES = 1024
const FEW_PIDS = 32_768
/** Of what may be used, the part from which on it is told. */
const NEARLY = 0.9

export function limitFindings(): readonly Finding[] {
  return [
    judgeFiles(readText('/proc/self/limits'), hostLine('/proc/sys/fs/file-nr')),
    judgePids(hostLine('/proc/sys/kernel/pid_max'), hostLine('/proc/loadavg'), ownPids()),
  ]
}

/** PURE. proc_pid_limits(5); file-nr is `OPEN UNUSED MOST`. */
export function judgeFiles(limits: string, fileNr: string): Finding {
  const [, soft = '0', hard = '0'] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? []
  const [open = 0, , most = 0] = fileNr.split(/\s+/).map(Number)
  const found = `${soft} for a process (at most ${hard}), ${open} open`
  if (soft !== 'unlimited' && Number(soft) < FEW_FILES)
    return warning(
      'open files',
      found,
      `raise it to ${FEW_FILES} or more: ulimit -n, LimitNOFILE= of the engine's unit`,
    )
  if (most > 0 && open > NEARLY * most)
    return warning('open files', `${found} of ${most}`, 'raise fs.file-max (sysctl)')
  return ok('open files', found)
}

/** Of the cgroup that this program is in, and of those above it the narrowest. */
export interface PidLimit {
  readonly cgroup: string
  readonly current: number
  readonly max: number
}

/** PURE. loadavg is `1 5 15 RUNNING/ALL LAST`. */
export function judgePids(pidMax: string, loadavg: string, limits: readonly PidLimit[]): Finding {
  const all = Number(loadavg.split(/[ /]/)[4] ?? 0)
  const found = `${all} of ${pidMax}`
  if (Number(pidMax) < FEW_PIDS || all > NEARLY * Number(pidMax))
    return warning('processes', found, 'raise kernel.pid_max (sysctl)')
  const full = limits.find(({ current, max }) => current > NEARLY * max)
  if (full === undefined) return ok('processes', found)
  const { cgroup, current, max } = full
  return warning(
    'processes',
    `${current} of ${max} in the cgroup ${cgroup}`,
    'raise its pids.max: TasksMax= of the unit',
  )
}

function ownPids(): PidLimit[] {
  const layout = cgroupLayout()
  const hierarchy = layout.hierarchies.find(({ controllers }) => controllers.includes('pids'))
  return hierarchy === undefined ? [] : limitsAbove(hierarchy, ownCgroup(hierarchy))
}

/** proc_pid_cgroup(5) names the hierarchy of v2 by nothing. */
function ownCgroup({ version }: Hierarchy): string {
  const line = version === 2 ? /^0::(.*)$/m : /^\d+:(?:[^:\n]*,)?pids(?:,[^:\n]*)?:(.*)$/m
  return line.exec(readText('/proc/self/cgroup'))?.[1] ?? '/'
}

function limitsAbove({ mountPoint }: Hierarchy, cgroup: string): PidLimit[] {
  const parts = cgroup.split('/').filter(Boolean)
  return parts.flatMap((_, depth) => {
    const path = `/${parts.slice(0, depth + 1).join('/')}`
    const max = Number(hostLine(`${mountPoint}${path}/pids.max`))
    return max > 0 ? [{ cgroup: path, current: Number(hostLine(`${mountPoint}${path}/pids.current`)), max }] : []
  })
}
