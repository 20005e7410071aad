/** Puts planned limits into effect, and takes them back when one of them is refused. */

import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { readTextIfThere } from '../../sys/if-there.ts'
import { cleanUp } from '../log/clean-up.ts'
import { writeExisting } from './cgroupfs.ts'
import type { CgroupLayout, Hierarchy } from './plan/cgroup-layout.ts'
import type { CgroupWrite } from './plan/cgroup-write.ts'
import type { PresentCgroup } from './plan/controller.ts'
import { lendRealtime } from './realtime.ts'
import { enableController } from './subtree-control.ts'

/** The cgroup `path` as the planners look at it; it need not exist yet. */
export function presentCgroup(layout: CgroupLayout, path: string): PresentCgroup {
  return { layout, read: ({ mountPoint }, file) => readIfExists(`${mountPoint}${path}/${file}`) }
}

/** Applies the writes in order; throws RuntimeError `cgroup` naming field, file and value. */
export function applyWrites(path: string, writes: readonly CgroupWrite[]): void {
  for (const write of writes) apply(path, write)
}

/** The same for a container that runs: after a failure, that of `finish` too, it has the limits that it had before. */
export function applyWritesOrRestore(path: string, writes: readonly CgroupWrite[], finish?: () => void): void {
  const before: (() => void)[] = []
  try {
    for (const write of writes) {
      const present = readIfExists(`${write.hierarchy.mountPoint}${path}/${write.file}`)
      apply(path, write)
      // Files of several lines do not take what they show; of these the one write that failed has changed nothing.
      if (present !== undefined && /^[^\n]+$/.test(present))
        before.push(() => apply(path, { ...write, value: present }))
    }
    finish?.()
  } catch (error) {
    cleanUp(error, before.toReversed())
    throw error
  }
}

function apply(path: string, planned: CgroupWrite): void {
  const { hierarchy, file, value, field, controller, ifMissing } = planned
  const target = `${hierarchy.mountPoint}${path}/${file}`
  if (controller !== undefined) enableController(hierarchy, path, { controller, field })
  try {
    write(target, value, { path, hierarchy, file })
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT' && ifMissing !== undefined) {
      if (ifMissing !== 'nothing') apply(path, ifMissing)
      return
    }
    const problem =
      code === 'ENOENT' ? `the host's ${file.split('.', 1)[0]} controller has no such file` : reasonOf(cause)
    const advice = adviceFor(target, { code, file, above: hierarchy.mountPoint + path.slice(0, path.lastIndexOf('/')) })
    throw new RuntimeError('cgroup', `${field}: write ${JSON.stringify(value)} to ${target}: ${problem}${advice}`, {
      cause,
    })
  }
}

/** The kernel refuses time for realtime processes that the cgroups above do not have. */
function write(
  target: string,
  value: string,
  { path, hierarchy, file }: { path: string; hierarchy: Hierarchy; file: string },
): void {
  try {
    writeExisting(target, value)
  } catch (error) {
    const name = hierarchy.version === 1 ? realtime[file] : undefined
    if (name === undefined || codeOf(error) !== 'EINVAL' || !/^\d+$/.test(value)) throw error
    lendRealtime(hierarchy.mountPoint, path, { [name]: BigInt(value) })
    writeExisting(target, value)
  }
}

const realtime: Readonly<Record<string, 'runtime' | 'period'>> = {
  'cpu.rt_runtime_us': 'runtime',
  'cpu.rt_period_us': 'period',
}

/** What to do about a write that the kernel has refused, with the colon before it; nothing where there is nothing to say. */
function adviceFor(
  target: string,
  { code, file, above }: { code: string | undefined; file: string; above: string },
): string {
  const usage = code === 'EBUSY' ? usageOf(target) : undefined
  if (usage !== undefined) return `: ${usage} bytes are in use: give a higher limit`
  if (code === 'EINVAL' && taken[file] !== undefined) return `: ${taken[file]}`
  if (code === 'EINVAL' && /^memory\.(memsw\.)?limit_in_bytes$/.test(file)) return orderOfLimits(target)
  if ((file !== 'cpuset.cpus' && file !== 'cpuset.mems') || code === 'ENOENT' || code === 'EBUSY') return ''
  const there = readIfExists(`${above}/${file}.effective`) ?? readIfExists(`${above}/${file}`)
  if (!there) return ''
  return `: ${above} has ${file === 'cpuset.cpus' ? 'the CPUs' : 'the memory nodes'} ${there}: name some of these`
}

/** What the kernel takes, which its EINVAL does not say. */
const taken: Readonly<Record<string, string>> = {
  'cpu.cfs_quota_us': 'give 1000 at least, and no more than the cgroups above allow',
  'cpu.cfs_period_us': 'give 1000 to 1000000',
  'cpu.max': 'give a quota of 1000 at least, and a period of 1000 to 1000000',
  'cpu.rt_runtime_us': 'give no more than the cgroups above have',
}

/** On v1 memory is never more than memory and swap together. */
function orderOfLimits(target: string): string {
  const ofSwap = target.replace(/\.limit_in_bytes$/, '.memsw.limit_in_bytes')
  if (!target.includes('.memsw.'))
    return `: memory and swap are limited to ${readIfExists(ofSwap)} bytes: raise that as well`
  return `: memory is limited to ${readIfExists(target.replace('.memsw.', '.'))} bytes: give no less`
}

/** Of what a limit of v1 memory counts (memory.rst): the kernel reclaims what it can, and refuses a limit below the rest. */
function usageOf(target: string): string | undefined {
  return /limit_in_bytes$/.test(target) ? readIfExists(target.replace(/limit_in_bytes$/, 'usage_in_bytes')) : undefined
}

function readIfExists(file: string): string | undefined {
  try {
    return readTextIfThere(file)?.trim()
  } catch {
    // Write-only: nothing is known about it.
    return undefined
  }
}
