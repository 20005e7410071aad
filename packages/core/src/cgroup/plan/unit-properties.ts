/**
 * Properties of the container's unit: org.freedesktop.systemd1(5), systemd.resource-control(5). systemd writes its own
 * idea of a unit's limits whenever it reloads, so it has to know ours. PURE.
 */
import { Buffer } from 'node:buffer'
import type { Variant } from '../../dbus/signature.ts'
import type { CgroupLayout } from './cgroup-layout.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import type { DevicePlan } from './device-plan.ts'
import type { Scope } from './scope.ts'

export type Property = readonly [name: string, value: Variant]

const INFINITY = 2n ** 64n - 1n
const DEFAULT_PERIOD = 100000n

const text = (name: string, value: string): Property => [name, { signature: 's', value }]
const flag = (name: string, value: boolean): Property => [name, { signature: 'b', value }]
const number = (name: string, value: bigint): Property => [name, { signature: 't', value }]

/** What a scope is beside its limits; `pid` is the process it begins with. */
export function planScopeProperties(
  { slice }: Scope,
  { id, pid, layout }: { readonly id: string; readonly pid: number; readonly layout: CgroupLayout },
): Property[] {
  return [
    text('Description', `crio-lxc container ${id}`),
    text('Slice', slice),
    ['PIDs', { signature: 'au', value: [pid] }],
    // The limits in it, what is below it, and the controllers that it hands down are not systemd's.
    flag('Delegate', true),
    // It does not end before the services that are ordered before shutdown, but with its runtime.
    flag('DefaultDependencies', false),
    // Nothing of a scope stays when its processes were killed for memory, even when nobody deletes the container.
    text('CollectMode', 'inactive-or-failed'),
    ...['CPU', 'Memory', 'Tasks', layout.mode === 'v2' ? 'IO' : 'BlockIO'].map((what) =>
      flag(`${what}Accounting`, true),
    ),
  ]
}

/** The scope of a resident monitor, which is no container: there is nothing in it but the process `pid`. */
export function planMonitorProperties(
  { slice }: Scope,
  { id, pid }: { readonly id: string; readonly pid: number },
): Property[] {
  return [
    text('Description', `crio-lxc monitor of ${id}`),
    text('Slice', slice),
    ['PIDs', { signature: 'au', value: [pid] }],
    flag('DefaultDependencies', false),
    text('CollectMode', 'inactive-or-failed'),
  ]
}

/** The limits that writes to files of the cgroup amount to; what systemd has no property for is left out. */
export function planLimitProperties(writes: readonly CgroupWrite[]): Property[] {
  const values = new Map(writes.map(({ hierarchy: { version }, file, value }) => [`${version} ${file}`, value]))
  // An idle cgroup has no weight, and systemd no other word for it.
  if (values.get('2 cpu.idle') === '1') values.set('2 cpu.weight', '0')
  const own = [...values].flatMap(([file, value]) => limits[file]?.(value) ?? [])
  return [...own, ...planQuota(values)]
}

/** CPUWeight has the value for an idle cgroup since systemd 252. */
export function isIdle([name, { value }]: Property): boolean {
  return name === 'CPUWeight' && value === 0n
}

const limit =
  (name: string) =>
  (value: string): Property[] => {
    const amount = amountOf(value)
    return amount === undefined ? [] : [number(name, amount)]
  }

const mask =
  (name: string) =>
  (value: string): Property[] => {
    const bytes = bitmap(value)
    return bytes === undefined ? [] : [[name, { signature: 'ay', value: bytes }]]
  }

/** `VERSION FILE` to the property that stands for it. */
const limits: Readonly<Record<string, (value: string) => Property[]>> = {
  '2 memory.max': limit('MemoryMax'),
  '2 memory.high': limit('MemoryHigh'),
  '2 memory.low': limit('MemoryLow'),
  '2 memory.min': limit('MemoryMin'),
  '2 memory.swap.max': limit('MemorySwapMax'),
  '2 cpu.weight': limit('CPUWeight'),
  '2 cpuset.cpus': mask('AllowedCPUs'),
  '2 cpuset.mems': mask('AllowedMemoryNodes'),
  '2 pids.max': limit('TasksMax'),
  '1 memory.limit_in_bytes': limit('MemoryLimit'),
  '1 cpu.shares': limit('CPUShares'),
  '1 blkio.weight': limit('BlockIOWeight'),
  '1 blkio.bfq.weight': limit('BlockIOWeight'),
  '1 pids.max': limit('TasksMax'),
}

/** CPU time per second, and the period over which it is counted. */
function planQuota(values: ReadonlyMap<string, string>): Property[] {
  const [both, bothPeriod] = values.get('2 cpu.max')?.split(' ') ?? []
  const quota = amountOf(both ?? values.get('1 cpu.cfs_quota_us'))
  const period = amountOf(bothPeriod ?? values.get('1 cpu.cfs_period_us'))
  if (period === 0n) return []
  const properties = period === undefined ? [] : [number('CPUQuotaPeriodUSec', period)]
  if (quota === undefined) return properties
  if (quota === INFINITY) return [...properties, number('CPUQuotaPerSecUSec', INFINITY)]
  const perSecond = (quota * 1000000n) / (period ?? DEFAULT_PERIOD)
  // Whole percents, which is how systemd keeps it: up, so that the unit never has less than what was asked for.
  return [...properties, number('CPUQuotaPerSecUSec', ((perSecond + 9999n) / 10000n) * 10000n)]
}

const units = ['', 'K', 'M', 'G', 'T', 'P', 'E']

/** A number as the kernel reads one, with a unit where it takes one (memparse); undefined for anything else. */
function amountOf(value: string | undefined): bigint | undefined {
  if (value === 'max' || value === '-1') return INFINITY
  const [, digits, unit = ''] = /^(\d{1,20})([KMGTPE]?)$/i.exec(value?.trim() ?? '') ?? []
  if (digits === undefined) return undefined
  const amount = BigInt(digits) << BigInt(10 * units.indexOf(unit.toUpperCase()))
  return amount < INFINITY ? amount : INFINITY
}

/** More CPUs or nodes than any kernel has. */
const MAX_BITS = 8192

/** `0-2,8` as a bit for each number, the lowest first; undefined for what is no such list. */
function bitmap(list: string): Buffer | undefined {
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(list)) return undefined
  const ranges = list.split(',').map((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return { first, last }
  })
  const highest = Math.max(...ranges.map(({ last }) => last))
  if (highest >= MAX_BITS) return undefined
  const bytes = Buffer.alloc((highest >> 3) + 1)
  for (const { first, last } of ranges)
    for (let bit = first; bit <= last; bit++) bytes.writeUInt8((bytes[bit >> 3] ?? 0) | (1 << (bit & 7)), bit >> 3)
  return bytes
}

/**
 * The devices of a v1 hierarchy, which systemd writes too. A program of v2 stays whatever systemd does. `groupName`
 * is the name that /proc/devices has for a major.
 */
export function planDeviceProperties(
  plan: DevicePlan | undefined,
  groupName: (type: 'b' | 'c', major: number) => string | undefined,
): Property[] {
  if (plan?.hierarchy.version !== 1) return []
  const { allow, exceptions } = plan.policy
  // Exceptions from a permission have no words in systemd: the files that the runtime writes have them.
  if (allow) return [text('DevicePolicy', 'auto')]
  const devices = exceptions.flatMap(({ type, major, minor, access }) => {
    const kind = type === 'c' ? 'char' : 'block'
    if (major !== undefined && minor !== undefined) return [[`/dev/${kind}/${major}:${minor}`, access]]
    if (minor !== undefined) return []
    const group = major === undefined ? '*' : groupName(type, major)
    return group === undefined ? [] : [[`${kind}-${group}`, access]]
  })
  return [text('DevicePolicy', 'strict'), ['DeviceAllow', { signature: 'a(ss)', value: devices }]]
}
