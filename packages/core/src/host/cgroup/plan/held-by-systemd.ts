/**
 * What the files are to hold when systemd manages the cgroup: it writes its own idea of a limit again and again, so a
 * value that it cannot keep is the one that it makes of it, from the beginning. PURE.
 */
import { amountOf, UNLIMITED } from './amount.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import type { PresentCgroup } from './controller.ts'

const SECOND = 1_000_000n
/** systemd keeps CPU time in whole percents of a second. */
const PERCENT = 10_000n
const DEFAULT_PERIOD = 100_000n
/** Microseconds; the kernel refuses less. */
const SHORTEST_QUOTA = 1000n

/** `quota` of every `period` microseconds as microseconds a second, rounded up: the unit never has less than was asked for. */
export function quotaPerSecond(quota: bigint, period = DEFAULT_PERIOD): bigint {
  return roundUp((quota * SECOND) / period + ((quota * SECOND) % period ? 1n : 0n), PERCENT)
}

/** The writes with the values that systemd will write in their place. `cgroup` has what they leave as it is. */
export function heldBySystemd(writes: readonly CgroupWrite[], cgroup: PresentCgroup): CgroupWrite[] {
  return bandwidthV1(bandwidthV2(writes, cgroup), cgroup).map((write) =>
    // systemd has no limit of none; it says the same as one of the one process that is there.
    write.file === 'pids.max' && amountOf(write.value) === 0n ? { ...write, value: '1' } : write,
  )
}

/** One file holds quota and period, and the second may be left out. */
function bandwidthV2(writes: readonly CgroupWrite[], { read }: PresentCgroup): CgroupWrite[] {
  let before: string | undefined
  return writes.map((write) => {
    if (write.hierarchy.version !== 2 || write.file !== 'cpu.max') return write
    before ??= read(write.hierarchy, 'cpu.max')?.split(' ')[1]
    const [quota = '', period = before ?? String(DEFAULT_PERIOD)] = write.value.trim().split(/\s+/)
    before = period
    return { ...write, value: `${held(quota, period)} ${period}` }
  })
}

/** Two files hold them: a new period changes what the quota amounts to. */
function bandwidthV1(writes: readonly CgroupWrite[], { read }: PresentCgroup): CgroupWrite[] {
  const [quotaFile, periodFile] = ['cpu.cfs_quota_us', 'cpu.cfs_period_us']
  const last = (file: string): CgroupWrite | undefined => writes.findLast((write) => write.file === file)
  const [quota, newPeriod] = [last(quotaFile), last(periodFile)]
  const some = quota ?? newPeriod
  if (some === undefined) return [...writes]
  const period = newPeriod?.value ?? read(some.hierarchy, periodFile) ?? String(DEFAULT_PERIOD)
  if (quota)
    return writes.map((write) => (write.file === quotaFile ? { ...write, value: held(write.value, period) } : write))
  const present = read(some.hierarchy, quotaFile)
  if (present === undefined || held(present, period) === present) return [...writes]
  return [...writes, { ...some, file: quotaFile, value: held(present, period) }]
}

/** A quota that the kernel refuses stays, so that it is refused. */
function held(quota: string, period: string): string {
  const [amount, of] = [amountOf(quota), amountOf(period)]
  if (amount === undefined || amount === UNLIMITED || amount < SHORTEST_QUOTA || !of) return quota
  return String((quotaPerSecond(amount, of) * of) / SECOND)
}

function roundUp(value: bigint, step: bigint): bigint {
  return ((value + step - 1n) / step) * step
}
