import type { PrintedStep } from '@crio-lxc/core/plan/print'
import type { DebugPlan } from './plan.ts'

/** The plan as lines for people. PURE. */
export function debugPlanText({ lxcConfig, cgroup, idMaps, launch, wait, container, netDevices }: DebugPlan): string {
  return [
    '# cgroup directories',
    ...cgroup.directories,
    '',
    ...(cgroup.unit ? [`# properties of the transient unit ${cgroup.unit.name}`, ...cgroup.unit.properties, ''] : []),
    '# cgroup writes',
    ...cgroup.writes.map(({ file, value }) => `${file} <- ${value}`),
    '',
    '# devices',
    ...(cgroup.devices?.policy ?? ['allow everything']),
    '',
    ...deviceProgram(cgroup.devices?.program),
    ...idMapped(idMaps),
    '# launch plan, run in the place of the monitor',
    ...launch.map(line),
    '',
    '# liblxc config',
    lxcConfig.trimEnd(),
    '',
    '# wait plan, run by init until create has written the next',
    ...wait.map(line),
    '',
    '# container plan, run by init',
    ...container.map(line),
    '',
    ...(netDevices
      ? ['# network device plan, run by another process while init waits for create', ...netDevices.map(line), '']
      : []),
  ].join('\n')
}

function deviceProgram(instructions: readonly string[] | undefined): string[] {
  if (!instructions) return []
  return ['# device program (bpf) of the cgroup', ...instructions.map(numbered), '']
}

function idMapped(idMaps: DebugPlan['idMaps']): string[] {
  if (idMaps.length === 0) return []
  const words = idMaps.map(({ mount, recursive, uidMap, gidMap }) => {
    const maps = `uids ${uidMap.join(', ')}; gids ${gidMap.join(', ')}`
    return `${mount}${recursive ? ' and the mounts below' : ''}: ${maps}`
  })
  return ['# idmapped mounts: id on disk, id that is seen, how many', ...words, '']
}

function numbered(text: string, index: number): string {
  return `${String(index).padStart(4)}  ${text}`
}

function line({ step, what, call, next }: PrintedStep): string {
  return `${String(step).padStart(4)}  ${what}: ${call}${next ? `  [${next}]` : ''}`
}
