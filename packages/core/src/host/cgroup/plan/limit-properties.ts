/**
 * A container's limits as properties of its unit: systemd.resource-control(5). systemd writes all that it knows of a
 * unit whenever one property changes and whenever it reloads, so it has to know every limit that it has a word for.
 * PURE.
 */
import type { Property } from '../../../dbus/signature.ts'
import { amountOf, UNLIMITED } from './amount.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { quotaPerSecond } from './held-by-systemd.ts'

/** Texts of a cgroup's files by `VERSION FILE`, as `2 memory.max`. */
export type FileTexts = ReadonlyMap<string, string>

const number = (name: string, value: bigint): Property => [name, { signature: 't', value }]

/** What the files will hold when all is written. */
export function textsOf(writes: readonly CgroupWrite[]): FileTexts {
  return new Map(writes.map((write) => [keyOf(write), write.value]))
}

export function keyOf({ hierarchy: { version }, file }: Pick<CgroupWrite, 'hierarchy' | 'file'>): string {
  return `${version} ${file}`
}

/** The limits that files of the cgroup amount to; what systemd has no property for is left out. */
export function planLimitProperties(texts: FileTexts): Property[] {
  const own = [...texts].flatMap(([key, text]) => limits[key]?.(text.trim()) ?? [])
  return [...own, ...planWeight(texts), ...planQuota(texts)]
}

/** Properties that systemd takes only with a new unit. */
export function planStartProperties(texts: FileTexts): Property[] {
  return texts.get('2 memory.oom.group')?.trim() === '1' ? [['OOMPolicy', { signature: 's', value: 'kill' }]] : []
}

/** Is it a property, or a value of one, that not every version of systemd knows? */
export function isRecent(property: Property): boolean {
  return knownSince(property) > 0
}

/**
 * What `version` of systemd takes in place of the properties. Before OOMPolicy it knew no word for memory.oom.group, and
 * set it to 0 each time: it leaves the files of a controller alone that the unit has disabled, which its slice hands
 * down all the same as the unit is delegated.
 */
export function takenBy(version: number, properties: readonly Property[]): Property[] {
  return properties.flatMap((property) => {
    if (knownSince(property) <= version) return [property]
    return property[0] === 'OOMPolicy' ? [['DisableControllers', { signature: 'as', value: ['memory'] }]] : []
  })
}

/** The first version; 0: every one that there is. */
function knownSince([name, { value }]: Property): number {
  if (name === 'CPUWeight' && value === IDLE) return 252
  return since[name] ?? 0
}

const since: Readonly<Record<string, number>> = { OOMPolicy: 253, MemoryZSwapMax: 253, MemoryZSwapWriteback: 256 }

/** systemd's CPUWeight of an idle cgroup, which has no weight. */
const IDLE = 0n

const limit =
  (name: string) =>
  (text: string): Property[] => {
    const amount = amountOf(text)
    return amount === undefined ? [] : [number(name, amount)]
  }

/** v1 shows no limit as the highest number of whole pages, of at most 64 KiB. */
const MOST_PAGES = 2n ** 63n - 65_536n

const mask =
  (name: string) =>
  (text: string): Property[] => {
    const bytes = bitmap(text)
    return bytes === undefined ? [] : [[name, { signature: 'ay', value: bytes }]]
  }

/** What stands for a file by itself. */
const limits: Readonly<Record<string, (text: string) => Property[]>> = {
  '2 memory.max': limit('MemoryMax'),
  '2 memory.high': limit('MemoryHigh'),
  '2 memory.low': limit('MemoryLow'),
  '2 memory.min': limit('MemoryMin'),
  '2 memory.swap.max': limit('MemorySwapMax'),
  '2 memory.zswap.max': limit('MemoryZSwapMax'),
  '2 memory.zswap.writeback': (text) =>
    /^[01]$/.test(text) ? [['MemoryZSwapWriteback', { signature: 'b', value: text === '1' }]] : [],
  '2 cpuset.cpus': mask('AllowedCPUs'),
  '2 cpuset.mems': mask('AllowedMemoryNodes'),
  '2 io.bfq.weight': (text) => blockIoWeights(text),
  '2 pids.max': limit('TasksMax'),
  '1 memory.limit_in_bytes': (text) => {
    const amount = amountOf(text) ?? 0n
    return limit('MemoryLimit')(amount >= MOST_PAGES ? 'max' : text)
  },
  '1 cpu.shares': limit('CPUShares'),
  '1 blkio.weight': limit('BlockIOWeight'),
  '1 blkio.bfq.weight': limit('BlockIOWeight'),
  '1 pids.max': limit('TasksMax'),
}

function planWeight(texts: FileTexts): Property[] {
  const io = texts.has('2 io.bfq.weight') ? undefined : /^(?:default )?(\d{1,5})$/m.exec(texts.get('2 io.weight') ?? '')
  const weights = io?.[1] === undefined ? [] : [number('IOWeight', BigInt(io[1]))]
  if (texts.get('2 cpu.idle')?.trim() === '1') return [...weights, number('CPUWeight', IDLE)]
  const cpu = amountOf(texts.get('2 cpu.weight'))
  return cpu === undefined ? weights : [...weights, number('CPUWeight', cpu)]
}

/** CPU time per second, and the period over which it is counted. */
function planQuota(texts: FileTexts): Property[] {
  const [both, bothPeriod] = texts.get('2 cpu.max')?.trim().split(/\s+/) ?? []
  const quota = amountOf(both ?? texts.get('1 cpu.cfs_quota_us'))
  const period = amountOf(bothPeriod ?? texts.get('1 cpu.cfs_period_us'))
  if (period === 0n) return []
  const properties = period === undefined ? [] : [number('CPUQuotaPeriodUSec', period)]
  if (quota === undefined) return properties
  const perSecond = quota === UNLIMITED ? UNLIMITED : quotaPerSecond(quota, period)
  return [...properties, number('CPUQuotaPerSecUSec', perSecond)]
}

const DEFAULT_WEIGHT = 100n

/**
 * The weights that systemd turns into these of bfq, 1 to 1000, without a rest (BFQ_WEIGHT()). A default that bfq is given
 * takes the weights of the devices away, so systemd has to know those as well.
 */
function blockIoWeights(text: string): Property[] {
  const ofDevices: [path: string, weight: bigint][] = []
  const properties: Property[] = []
  for (const line of text.split('\n')) {
    const [, device, digits] = /^(?:(\d+:\d+) |default |)(\d{1,4})$/.exec(line.trim()) ?? []
    if (digits === undefined) continue
    const bfq = BigInt(digits)
    const weight = bfq <= DEFAULT_WEIGHT ? bfq : DEFAULT_WEIGHT + (bfq - DEFAULT_WEIGHT) * 11n
    if (device === undefined) properties.push(number('IOWeight', weight))
    else ofDevices.push([`/dev/block/${device}`, weight])
  }
  return ofDevices.length === 0
    ? properties
    : [...properties, ['IODeviceWeight', { signature: 'a(st)', value: ofDevices }]]
}

/** More CPUs or nodes than any kernel has. */
const MAX_BITS = 8192

/** `0-2,8` as a bit for each number, the lowest first; undefined for what is no such list. */
function bitmap(list: string): Uint8Array | undefined {
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(list)) return undefined
  const ranges = list.split(',').map((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return { first, last }
  })
  const highest = ranges.reduce((most, { last }) => Math.max(most, last), 0)
  if (highest >= MAX_BITS) return undefined
  const bytes = new Uint8Array((highest >> 3) + 1)
  for (const { first, last } of ranges)
    for (let bit = first; bit <= last; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7))
  return bytes
}
