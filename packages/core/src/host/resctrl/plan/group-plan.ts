/**
 * linux.intelRdt as a group of resctrl (kernel: Documentation/filesystems/resctrl.rst; config-linux.md, "IntelRdt"): a
 * directory below the mount, lines for its schemata, and perhaps a group in it that only counts. PURE.
 */
import { SpecError } from '../../../errors/runtime-error.ts'
import type { IntelRdt } from '../../../oci/linux.ts'

export interface GroupPlan {
  /** Absolute path. */
  readonly group: string
  /**
   * `own`: named after the container, made for it and removed with it. `shared`: the class of closID, made when it does not
   * exist, and it has to have these schemata when it does. `existing`: a class that closID takes as it is.
   */
  readonly kind: 'own' | 'shared' | 'existing'
  readonly schemata: readonly SchemataLine[]
  /** The group that counts what the container alone uses; absent: none is made. */
  readonly monitor?: string
  /** What `info/L3_MON/mon_features` must have, by the field that asks for it. */
  readonly features: readonly MonitoringFeature[]
}

/** A line of schemata, with the field that it is of. */
export interface SchemataLine {
  readonly field: string
  readonly line: string
}

export interface MonitoringFeature {
  readonly field: string
  /** Any of these will do; none: any feature at all. */
  readonly names: readonly string[]
}

/** What container.json keeps of it. */
export interface ResctrlFacts {
  readonly group: string
  readonly monitor?: string
  /** Files that take a process that writes "0" to them, in this order: a group that counts is for processes of its class. */
  readonly tasks: readonly string[]
  /** Directories that delete removes, those inside others first. */
  readonly remove: readonly string[]
}

/** The class that every process is in at first: resctrl's own directory. */
const DEFAULT_CLASS = '/'
/** The kernel's own directories beside the groups. */
const taken = new Set(['.', '..', 'info', 'mon_groups', 'mon_data'])

/** `root`: where resctrl is mounted; `id`: a checked container id. Throws SpecError. */
export function planGroup(intelRdt: IntelRdt, { root, id }: { root: string; id: string }): GroupPlan {
  const { closID, enableMonitoring, enableCMT, enableMBM } = intelRdt
  if (closID) checkName(closID)
  const name = closID || id
  const group = name === DEFAULT_CLASS ? root : `${root}/${name}`
  const schemata = schemataLines(intelRdt)
  // A class of others counts what they use too.
  const monitored = enableMonitoring || (closID && (enableCMT || enableMBM))
  return {
    group,
    kind: closID ? (schemata.length > 0 ? 'shared' : 'existing') : 'own',
    schemata,
    ...(monitored && { monitor: `${group}/mon_groups/${id}` }),
    features: [
      ...(enableMonitoring ? [{ field: 'enableMonitoring', names: [] }] : []),
      ...(enableCMT ? [{ field: 'enableCMT', names: ['llc_occupancy'] }] : []),
      ...(enableMBM ? [{ field: 'enableMBM', names: ['mbm_total_bytes', 'mbm_local_bytes'] }] : []),
    ],
  }
}

/** What stays of a class after the container is the operator's: others may have joined it. */
export function factsOf({ group, kind, monitor }: GroupPlan): ResctrlFacts {
  return {
    group,
    ...(monitor !== undefined && { monitor }),
    tasks: [group, ...(monitor === undefined ? [] : [monitor])].map((directory) => `${directory}/tasks`),
    remove: [...(monitor === undefined ? [] : [monitor]), ...(kind === 'own' ? [group] : [])],
  }
}

/** l3CacheSchema gives no line of MB and memBwSchema none of L3; schemata comes after both, and so prevails. */
export function schemataLines({ l3CacheSchema, memBwSchema, schemata = [] }: IntelRdt): SchemataLine[] {
  const both = Boolean(l3CacheSchema && memBwSchema)
  const of = (field: string, text: string, not: RegExp): SchemataLine[] =>
    text
      .split('\n')
      .map((line) => ({ field, line: line.trim() }))
      .filter(({ line }) => line !== '' && !(both && not.test(line)))
  return [
    ...of('l3CacheSchema', l3CacheSchema ?? '', /^MB\s*:/),
    ...of('memBwSchema', memBwSchema ?? '', /^L3\s*:/),
    ...schemata.flatMap((line, index) => of(`schemata[${index}]`, line, /$^/)),
  ]
}

function checkName(closID: string): void {
  if (closID === DEFAULT_CLASS || (!closID.includes('/') && !taken.has(closID))) return
  const problem = `must be the name of one directory below resctrl, or "/", got ${JSON.stringify(closID)}`
  throw new SpecError('linux.intelRdt.closID', problem)
}
