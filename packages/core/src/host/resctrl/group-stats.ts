/** What a group of resctrl may use and uses, in the form of runc's `events` (types/events.go, IntelRdt). */
import { fileExists, readDirectory, readText } from '../../sys/files.ts'
import { monitoringFeatures, resctrlRoot } from './group.ts'
import type { ResctrlFacts } from './plan/group-plan.ts'

/** Fields that the host does not have are absent; sizes in bytes. */
export interface ResctrlStats {
  readonly l3_cache_info?: Readonly<Record<string, string | number>>
  readonly l3_cache_schema_root?: string
  readonly l3_cache_schema?: string
  readonly mem_bw_info?: Readonly<Record<string, string | number>>
  readonly mem_bw_schema_root?: string
  readonly mem_bw_schema?: string
  /** One for each domain, such as a socket. */
  readonly mbm_stats?: readonly Readonly<Record<string, number>>[]
  readonly cmt_stats?: readonly Readonly<Record<string, number>>[]
}

/** `root` is where resctrl is mounted. */
export function readResctrlStats({ group, monitor }: ResctrlFacts, root = resctrlRoot()): ResctrlStats {
  const cache = info(root, 'L3', ['cbm_mask', 'min_cbm_bits', 'num_closids'])
  const bandwidth = info(root, 'MB', ['bandwidth_gran', 'delay_linear', 'min_bandwidth', 'num_closids'])
  const schema = (directory: string, resource: string): string | undefined =>
    readText(`${directory}/schemata`)
      .split('\n')
      .map((line) => line.trim())
      .findLast((line) => line.startsWith(resource))
  const features = monitoringFeatures(root)
  const counts = (names: readonly string[]) => {
    const counted = names.filter((name) => features.includes(name))
    return counted.length > 0 ? domains(monitor ?? group, counted) : undefined
  }
  return defined({
    ...(cache && {
      l3_cache_info: cache,
      l3_cache_schema_root: schema(root, 'L3'),
      l3_cache_schema: schema(group, 'L3'),
    }),
    ...(bandwidth && {
      mem_bw_info: bandwidth,
      mem_bw_schema_root: schema(root, 'MB'),
      mem_bw_schema: schema(group, 'MB'),
    }),
    mbm_stats: counts(['mbm_total_bytes', 'mbm_local_bytes']),
    cmt_stats: counts(['llc_occupancy']),
  })
}

function info(root: string, resource: string, names: readonly string[]): Record<string, string | number> | undefined {
  const directory = `${root}/info/${resource}`
  if (!fileExists(directory)) return undefined
  return Object.fromEntries(
    names.map((name) => {
      const text = readText(`${directory}/${name}`).trim()
      return [name, name === 'cbm_mask' ? text : Number(text)]
    }),
  )
}

/** A counter that the kernel calls "Unavailable" or "Error" is left out. */
function domains(directory: string, names: readonly string[]): Record<string, number>[] {
  return readDirectory(`${directory}/mon_data`)
    .filter((domain) => domain.startsWith('mon_L3_'))
    .sort()
    .map((domain) =>
      Object.fromEntries(
        names.flatMap((name) => {
          const value = Number(readText(`${directory}/mon_data/${domain}/${name}`))
          return Number.isNaN(value) ? [] : [[name, value]]
        }),
      ),
    )
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
}
