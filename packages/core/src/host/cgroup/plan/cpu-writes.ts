/** linux.resources.cpu as writes in order; sched-bwc.rst, sched-rt-group.rst, cgroup-v2.rst "CPU Interface Files". PURE. */
import { SpecError } from '../../../errors/runtime-error.ts'
import type { CpuResources } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { type Controller, findController, notInVersion, type PresentCgroup, presentLimit } from './controller.ts'

const POINTER = 'linux.resources.cpu'
const MIN_SHARES = 2
const MAX_SHARES = 262144
const DEFAULT_PERIOD = 100_000n

/** Throws RuntimeError `cgroup`, or SpecError for values that cannot be. */
export function planCpu(cpu: CpuResources, cgroup: PresentCgroup): CgroupWrite[] {
  const { shares, quota, burst, period, realtimeRuntime, realtimePeriod, idle } = cpu
  const asked = Object.entries({ shares, quota, period, realtimeRuntime, realtimePeriod }).filter(([, value]) => value)
  const present = Object.entries({ burst, idle }).filter(([, value]) => value !== undefined)
  const [first] = [...asked, ...present]
  if (first === undefined) return []
  if ((quota ?? 0) < -1) throw new SpecError(`${POINTER}.quota`, `must be -1 or more, got ${quota}`)
  if (idle !== undefined && idle !== 0 && idle !== 1)
    throw new SpecError(`${POINTER}.idle`, `must be 0 or 1, got ${idle}`)
  const controller = findController(cgroup, 'cpu', `${POINTER}.${first[0]}`)
  return [
    ...planWeight(cpu, controller),
    ...(controller.version === 1 ? planBandwidthV1(cpu, controller) : planBandwidthV2(cpu, controller)),
    ...planRealtime(cpu, controller),
  ]
}

/** An idle cgroup has no weight and takes none, so it stops being idle before and becomes idle after. */
function planWeight({ shares, idle }: CpuResources, { version, read, write }: Controller): CgroupWrite[] {
  const setIdle = (value: number | bigint): CgroupWrite => unlessZero(write(`${POINTER}.idle`, 'cpu.idle', value))
  const writes: CgroupWrite[] = []
  if (shares) {
    if (read('cpu.idle') === '1') writes.push(setIdle(0))
    writes.push(
      version === 1
        ? write(`${POINTER}.shares`, 'cpu.shares', checkedShares(shares))
        : write(`${POINTER}.shares`, 'cpu.weight', weightOfShares(shares)),
    )
  }
  if (idle !== undefined && (idle !== 0 || writes.length < 2)) writes.push(setIdle(idle))
  return writes
}

/** The kernel takes any number of v1 and silently moves it into its range. */
function checkedShares(shares: number | bigint): number | bigint {
  if (shares >= MIN_SHARES && shares <= MAX_SHARES) return shares
  throw new SpecError(`${POINTER}.shares`, `must be from ${MIN_SHARES} to ${MAX_SHARES}, got ${shares}`)
}

/** The weight (1 to 10000) of v1 shares, on a line as runc until 1.3 and CRI-O's kubelet draw it. */
export function weightOfShares(shares: number | bigint): number {
  const within = Math.min(Math.max(Number(shares), MIN_SHARES), MAX_SHARES)
  return 1 + Math.floor(((within - MIN_SHARES) * 9999) / (MAX_SHARES - MIN_SHARES))
}

function planBandwidthV1(cpu: CpuResources, controller: Controller): CgroupWrite[] {
  const { quota, period, burst } = cpu
  const { read, write } = controller
  const setQuota = quota ? [write(`${POINTER}.quota`, 'cpu.cfs_quota_us', quota)] : []
  const setPeriod = period ? [write(`${POINTER}.period`, 'cpu.cfs_period_us', period)] : []
  const bandwidth = inOrder(period, presentLimit(read('cpu.cfs_period_us')), { setPeriod, setAmount: setQuota })
  if (burst === undefined) return bandwidth
  const setBurst = unlessZero(write(`${POINTER}.burst`, 'cpu.cfs_burst_us', burst))
  return aroundBurst(bandwidth, setBurst, presentLimit(read('cpu.cfs_quota_us')))
}

function planBandwidthV2(cpu: CpuResources, { read, write }: Controller): CgroupWrite[] {
  const { quota, period, burst } = cpu
  const [presentQuota = 'max'] = read('cpu.max')?.split(' ') ?? []
  const bandwidth: CgroupWrite[] = []
  if (quota || period) {
    // What is not given stays: one file holds both, and the second may be left out.
    const amount = quota ? (quota < 0 ? 'max' : String(quota)) : presentQuota
    bandwidth.push(
      write(`${POINTER}.${quota ? 'quota' : 'period'}`, 'cpu.max', period ? `${amount} ${period}` : amount),
    )
  }
  if (burst === undefined) return bandwidth
  const setBurst = unlessZero(write(`${POINTER}.burst`, 'cpu.max.burst', burst))
  return aroundBurst(bandwidth, setBurst, presentLimit(presentQuota))
}

/** cpu.idle is of Linux 5.15, the bursts are of 5.14: without them both are 0. */
function unlessZero(write: CgroupWrite): CgroupWrite {
  return write.value === '0' ? { ...write, ifMissing: 'nothing' } : write
}

/** The kernel keeps burst <= quota after each write. */
function aroundBurst(bandwidth: CgroupWrite[], burst: CgroupWrite, presentQuota: bigint | undefined): CgroupWrite[] {
  const fits = presentQuota === undefined || BigInt(burst.value) <= presentQuota
  return fits ? [burst, ...bandwidth] : [...bandwidth, burst]
}

function planRealtime(cpu: CpuResources, controller: Controller): CgroupWrite[] {
  const { realtimeRuntime, realtimePeriod } = cpu
  if (controller.version === 2) {
    for (const [name, value] of Object.entries({ realtimeRuntime, realtimePeriod }))
      if (value) throw notInVersion(`${POINTER}.${name}`, controller, 'cpu')
    return []
  }
  const { read, write } = controller
  return inOrder(realtimePeriod, presentLimit(read('cpu.rt_period_us')), {
    setPeriod: realtimePeriod ? [write(`${POINTER}.realtimePeriod`, 'cpu.rt_period_us', realtimePeriod)] : [],
    setAmount: realtimeRuntime ? [write(`${POINTER}.realtimeRuntime`, 'cpu.rt_runtime_us', realtimeRuntime)] : [],
  })
}

/**
 * The parent limits amount/period after each write: a longer period comes before the amount, a shorter one after it,
 * and the quotient on the way is below the one at the end.
 */
function inOrder(
  period: number | bigint | undefined,
  presentPeriod = DEFAULT_PERIOD,
  { setPeriod, setAmount }: { readonly setPeriod: CgroupWrite[]; readonly setAmount: CgroupWrite[] },
): CgroupWrite[] {
  return period && BigInt(period) < presentPeriod ? [...setAmount, ...setPeriod] : [...setPeriod, ...setAmount]
}
