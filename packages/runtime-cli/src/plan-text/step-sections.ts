import type { GroupPlan } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import type { PrintedStep } from '@crio-lxc/core/plan/print'
import type { DebugPlan, PrintedHook } from './print-all.ts'
import type { Section } from './sections.ts'

/** A section or more for every part of a plan, in their order: a part without one does not compile. */
type Sections = { readonly [Name in keyof Parts]: (part: Parts[Name]) => readonly Section[] }
type Parts = Required<DebugPlan>

/** How a step is a line. */
export type StepLines = (steps: readonly PrintedStep[]) => string[]

/** Of what is not told by steps, and of what is. */
export interface PlanSections {
  readonly brief: readonly Section[]
  readonly detailed: readonly Section[]
}

const brief: Partial<Sections> = {
  cgroup: ({ directories, writes, devices, unit }) => [
    { title: 'cgroup directories', lines: directories },
    { title: 'unit of systemd', lines: unit ? [unit.name] : [] },
    { title: 'cgroup writes', lines: orNone(writes.map(({ file, value }) => `${file} <- ${value}`)) },
    { title: 'devices', lines: devices?.policy ?? ['allow everything'] },
  ],
  resctrl: (group) => [{ title: 'resctrl group', lines: groupLines(group) }],
  idMaps: (mounts) => [
    { title: 'idmapped mounts: id on disk, id that is seen, how many', lines: mounts.map(idMapLine) },
  ],
  hooks: (hooks) => [{ title: 'hooks', lines: hooks.map(hookLine) }],
}

const detailed = (linesOf: StepLines): Omit<Sections, 'resctrl' | 'idMaps' | 'hooks'> => ({
  cgroup: ({ unit, devices }) => [
    { title: 'properties of the transient unit', lines: unit?.properties ?? [] },
    { title: 'device program (bpf) of the cgroup', lines: devices?.program?.map(numbered) ?? [] },
  ],
  launch: (steps) => [{ title: 'launch plan, run in the place of the monitor', lines: linesOf(steps) }],
  lxcConfig: (text) => [{ title: 'liblxc config', lines: text.trimEnd().split('\n') }],
  wait: (steps) => [{ title: 'wait plan, run by init until create has written the next', lines: linesOf(steps) }],
  container: (steps) => [{ title: 'container plan, run by init', lines: linesOf(steps) }],
  seccomp: (program) => [{ title: 'seccomp program (bpf)', lines: program.map(numbered) }],
  netDevices: (steps) => [
    {
      title: 'network device plan, run by another process while init waits for create',
      lines: linesOf(steps),
    },
  ],
})

/** A plan as sections for people. PURE. */
export function planSections(plan: DebugPlan, linesOf: StepLines): PlanSections {
  return { brief: sectionsOf(plan, brief), detailed: sectionsOf(plan, detailed(linesOf)) }
}

function sectionsOf(plan: DebugPlan, sections: Partial<Sections>): Section[] {
  return (Object.keys(sections) as (keyof Parts)[]).flatMap((name) => sectionsOfPart(plan, name, sections))
}

function sectionsOfPart<Name extends keyof Parts>(
  plan: DebugPlan,
  name: Name,
  sections: Partial<Sections>,
): readonly Section[] {
  const part = plan[name] as Parts[Name] | undefined
  return part === undefined ? [] : (sections[name]?.(part) ?? [])
}

/** `  12  what: call  [where it goes on]`. */
export const numberedSteps: StepLines = (steps) => steps.map(line)

const groupKinds: Readonly<Record<GroupPlan['kind'], string>> = {
  own: 'made for the container and removed with it',
  shared: 'made unless it exists',
  existing: 'which has to exist',
}

function groupLines({ group, kind, schemata, monitor }: GroupPlan): string[] {
  return [
    `${group}, ${groupKinds[kind]}`,
    ...schemata.map(({ line }) => `${group}/schemata <- ${line}`),
    ...(monitor === undefined ? [] : [`${monitor} counts what the container uses`]),
  ]
}

function idMapLine({ mount, recursive, uidMap, gidMap }: DebugPlan['idMaps'][number]): string {
  const maps = `uids ${uidMap.join(', ')}; gids ${gidMap.join(', ')}`
  return `${mount}${recursive ? ' and the mounts below' : ''}: ${maps}`
}

function hookLine({ hook, by, namespaces, path, args, timeout }: PrintedHook): string {
  const words = args === undefined ? path : `${path} ${JSON.stringify(args)}`
  return `${hook}, by ${by} in the namespaces of the ${namespaces}: ${words}${timeout === undefined ? '' : `, at most ${timeout} s`}`
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? lines : ['none']
}

function numbered(text: string, index: number): string {
  return `${String(index).padStart(4)}  ${text}`
}

function line({ step, what, call, next }: PrintedStep): string {
  return `${String(step).padStart(4)}  ${what}: ${call}${next ? `  [${next}]` : ''}`
}
