/** linux.resources.memory as writes in order; memory.rst of cgroup v1, cgroup-v2.rst "Memory Interface Files". PURE. */
import { RuntimeError, SpecError } from '../../../errors/runtime-error.ts'
import type { MemoryResources } from '../../../oci/resources.ts'
import { amountOf, UNLIMITED } from './amount.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import {
  type Controller,
  findController,
  hasController,
  notInVersion,
  type PresentCgroup,
  presentLimit,
} from './controller.ts'

const POINTER = 'linux.resources.memory'
const MAX_SWAPPINESS = 100

/** linux.resources.unified: what it says of memory and swap is so in the end. */
type Unified = Readonly<Record<string, string>>

/** Throws RuntimeError `cgroup`, or SpecError for values that cannot be. */
export function planMemory(memory: MemoryResources, cgroup: PresentCgroup, unified: Unified = {}): CgroupWrite[] {
  const { limit, reservation, swap, kernelTCP, swappiness, disableOOMKiller } = memory
  const asked = Object.entries({ limit, reservation, swap, kernelTCP, disableOOMKiller }).filter(([, value]) => value)
  const [first] = swappiness === undefined ? asked : [...asked, ['swappiness']]
  if (first === undefined && disableOOMKiller === undefined) return []
  for (const name of ['limit', 'reservation', 'swap', 'kernelTCP'] as const)
    if ((memory[name] ?? 0) < -1) throw new SpecError(`${POINTER}.${name}`, `must be -1 or more, got ${memory[name]}`)
  if (swappiness !== undefined && swappiness > MAX_SWAPPINESS)
    throw new SpecError(`${POINTER}.swappiness`, `must be from 0 to ${MAX_SWAPPINESS}, got ${swappiness}`)
  // false asks nothing of a host without the controller.
  if (first === undefined && !hasController(cgroup, 'memory')) return []
  const controller = findController(cgroup, 'memory', `${POINTER}.${first?.[0] ?? 'disableOOMKiller'}`)
  if (memory.checkBeforeUpdate) checkUsage(memory, controller)
  return controller.version === 1 ? planV1(memory, controller) : planV2(memory, controller, unified)
}

/** The kernel would first reclaim, then kill: whoever asks for the check wants neither. */
function checkUsage({ limit }: MemoryResources, controller: Controller): void {
  if (!limit || limit < 0) return
  const usage = presentLimit(controller.read(controller.version === 1 ? 'memory.usage_in_bytes' : 'memory.current'))
  if (usage !== undefined && usage > BigInt(limit))
    throw new RuntimeError(
      'cgroup',
      `${POINTER}.limit: the container uses ${usage} bytes, more than the limit of ${limit}: checkBeforeUpdate refuses that`,
    )
}

function planV1(memory: MemoryResources, { read, write }: Controller): CgroupWrite[] {
  const { limit, reservation, kernelTCP, swappiness, disableOOMKiller } = memory
  const writes: CgroupWrite[] = []
  const setLimit = limit ? [write(`${POINTER}.limit`, 'memory.limit_in_bytes', limit)] : []
  const setSwap = planV1Swap(memory, write)
  // The kernel keeps limit <= memory and swap after each write, so the one that makes room comes first.
  const present = presentLimit(read('memory.limit_in_bytes'))
  const { swap = 0 } = memory
  const swapFirst = swap <= 0 || (present !== undefined && BigInt(swap) >= present)
  writes.push(...(swapFirst ? [...setSwap, ...setLimit] : [...setLimit, ...setSwap]))
  if (reservation) writes.push(write(`${POINTER}.reservation`, 'memory.soft_limit_in_bytes', reservation))
  if (kernelTCP) writes.push(write(`${POINTER}.kernelTCP`, 'memory.kmem.tcp.limit_in_bytes', kernelTCP))
  // false is what a cgroup begins with, and callers send it for "not set".
  const disabled = /^oom_kill_disable 1$/m.test(read('memory.oom_control') ?? '')
  if (disableOOMKiller !== undefined && disableOOMKiller !== disabled)
    writes.push(write(`${POINTER}.disableOOMKiller`, 'memory.oom_control', disableOOMKiller ? 1 : 0))
  if (swappiness !== undefined) writes.push(write(`${POINTER}.swappiness`, 'memory.swappiness', swappiness))
  return writes
}

/** Unlimited memory frees the sum as well, which would hold it down otherwise. */
function planV1Swap({ limit, swap }: MemoryResources, write: Controller['write']): CgroupWrite[] {
  const file = 'memory.memsw.limit_in_bytes'
  if (swap) return [write(`${POINTER}.swap`, file, swap)]
  // A kernel that does not count swap has no sum to free.
  return limit === -1 ? [{ ...write(`${POINTER}.limit`, file, -1), ifMissing: 'nothing' }] : []
}

function planV2(memory: MemoryResources, controller: Controller, unified: Unified): CgroupWrite[] {
  const { limit, reservation, kernelTCP, swappiness, disableOOMKiller } = memory
  for (const [name, value] of Object.entries({ kernelTCP, disableOOMKiller }))
    if (value) throw notInVersion(`${POINTER}.${name}`, controller, 'memory')
  if (swappiness !== undefined) throw notInVersion(`${POINTER}.swappiness`, controller, 'memory')
  const { write } = controller
  const swap = unified['memory.swap.max'] === undefined ? swapAlone(memory, controller, unified) : undefined
  const writes: CgroupWrite[] = []
  if (swap !== undefined) {
    const setSwap = write(`${POINTER}.${memory.swap ? 'swap' : 'limit'}`, 'memory.swap.max', maxOr(swap))
    // Without swap in the kernel both of these are true already.
    writes.push(swap <= 0n ? { ...setSwap, ifMissing: 'nothing' } : setSwap)
  }
  if (limit) writes.push(write(`${POINTER}.limit`, 'memory.max', maxOr(BigInt(limit))))
  if (reservation) writes.push(write(`${POINTER}.reservation`, 'memory.low', maxOr(BigInt(reservation))))
  return writes
}

/** v2 limits swap apart from memory, the spec both together. undefined: leave it as it is. */
function swapAlone(memory: MemoryResources, { read }: Controller, unified: Unified): bigint | undefined {
  const { swap = 0 } = memory
  const limit = limitInUnified(unified) ?? memory.limit ?? 0
  if (swap === -1 || (swap === 0 && limit === -1)) return -1n
  const presentSwap = presentLimit(read('memory.swap.max'))
  const present = presentLimit(read('memory.max'))
  if (swap === 0) {
    // The sum stays what it was.
    if (limit === 0 || presentSwap === undefined || present === undefined) return undefined
    return difference('limit', present + presentSwap, BigInt(limit))
  }
  if (limit === -1) return BigInt(swap)
  const alone = limit === 0 ? present : BigInt(limit)
  if (alone === undefined)
    throw new SpecError(`${POINTER}.swap`, 'is memory and swap together: give linux.resources.memory.limit as well')
  return difference('swap', BigInt(swap), alone)
}

/** As linux.resources.memory.limit has it: -1 is none. undefined: it does not say. */
function limitInUnified(unified: Unified): number | bigint | undefined {
  const limit = amountOf(unified['memory.max'])
  return limit === UNLIMITED ? -1 : limit
}

function difference(name: 'limit' | 'swap', sum: bigint, memory: bigint): bigint {
  if (sum >= memory) return sum - memory
  const problem = `memory and swap together, ${sum}, would be less than the memory limit, ${memory}`
  throw new SpecError(`${POINTER}.${name}`, `${problem}: set linux.resources.memory.limit and swap together`)
}

function maxOr(value: bigint): string {
  return value < 0n ? 'max' : String(value)
}
