/** Cgroups: how they are mounted, which controllers there are, and whether they may be handed to containers. */
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { type CgroupLayout, type Hierarchy, MOUNT_POINT } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { queryPrograms } from '@crio-lxc/core/sys/bpf'
import { fileExists, O_DIRECTORY, withFile } from '@crio-lxc/core/sys/files'
import { mountOf } from '../installation/mount-of.ts'
import type { Settings } from '../settings.ts'
import { type Finding, ok, orOk, problem, warning } from './finding.ts'
import { hostLine } from './host-text.ts'

export function cgroupFindings({ systemdCgroup }: Pick<Settings, 'systemdCgroup'>): readonly Finding[] {
  const layout = cgroupLayout()
  if (layout.hierarchies.length === 0)
    return [problem('cgroups', `nothing is mounted below ${MOUNT_POINT}`, 'mount cgroup v2 there')]
  const systemd = fileExists('/run/systemd/private')
  return [
    judgeManager(layout.mode, { systemd, systemdCgroup }),
    judgeControllers(layout),
    ...delegation(layout),
    deviceRules(layout),
  ]
}

/** PURE. */
export function judgeManager(
  mode: CgroupLayout['mode'],
  { systemd, systemdCgroup }: { systemd: boolean; systemdCgroup: boolean },
): Finding {
  const found = `${mode}, ${systemd ? 'managed by systemd' : 'without systemd'}`
  if (systemdCgroup && !systemd)
    return problem('cgroups', `${found}, which --systemd-cgroup asks for`, 'let the engine use the manager cgroupfs')
  return ok('cgroups', found)
}

const wanted = {
  v1: ['memory', 'cpu', 'cpuset', 'pids', 'blkio', 'devices', 'freezer'],
  v2: ['memory', 'cpu', 'cpuset', 'pids', 'io'],
} as const

/** PURE. */
export function judgeControllers({ mode, hierarchies }: CgroupLayout): Finding {
  const present = new Set(hierarchies.flatMap(({ controllers }) => controllers).filter((name) => !name.includes('=')))
  const lacking = (mode === 'v2' ? wanted.v2 : wanted.v1).filter((name) => !present.has(name))
  const found = [...present].join(' ')
  if (lacking.length === 0) return ok('controllers', found)
  return warning(
    'controllers',
    `no ${lacking.join(', ')}`,
    'limits of these are refused: enable them on the kernel command line, or delegate them to this cgroup',
  )
}

function delegation({ hierarchies }: CgroupLayout): readonly Finding[] {
  const closed = hierarchies.map(({ mountPoint }) => mountPoint).filter(isReadOnly)
  return orOk([...judgeReadOnly(closed), ...hierarchies.flatMap(occupied)], 'delegation', 'writable')
}

function isReadOnly(mountPoint: string): boolean {
  return mountOf(mountPoint)?.options.includes('ro') ?? false
}

/** PURE. Mount points. */
export function judgeReadOnly(closed: readonly string[]): Finding[] {
  const [first, ...others] = closed
  if (first === undefined) return []
  const found = `${first}${others.length > 0 ? ` and ${others.length} more` : ''} mounted read-only`
  const command = `for each: mount -o remount,rw ${first}`
  return [problem('delegation', found, others.length > 0 ? command : command.replace('for each: ', ''))]
}

/** A cgroup of v2 that is no root cannot have processes and controllers for its children; cgroups(7). */
function occupied({ mountPoint, version }: Hierarchy): Finding[] {
  const delegated = version === 2 && fileExists(`${mountPoint}/cgroup.type`)
  if (!delegated || hostLine(`${mountPoint}/cgroup.subtree_control`) !== '') return []
  if (hostLine(`${mountPoint}/cgroup.procs`) === '') return []
  return [
    warning(
      'delegation',
      `${mountPoint} is no root, and has processes`,
      'move them to a cgroup below it: no limit can be set otherwise',
    ),
  ]
}

function deviceRules({ mode }: CgroupLayout): Finding {
  if (mode !== 'v2') return ok('device rules', 'by the controller devices')
  try {
    withFile(MOUNT_POINT, O_DIRECTORY, queryPrograms)
    return ok('device rules', 'by BPF programs')
  } catch {
    return problem('device rules', 'no BPF programs for cgroups', 'use a kernel with CONFIG_CGROUP_BPF, as root')
  }
}
