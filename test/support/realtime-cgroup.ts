import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Containers } from './containers.ts'
import { waitFor } from './wait-for.ts'

/**
 * cgroupsPath of a cgroup that may run SCHED_FIFO: with CONFIG_RT_GROUP_SCHED a new one of v1 has no time for it. A
 * container that is still in it when the test ends has to be deleted by the test.
 */
export function realtimeCgroup(t: Containers): string {
  const path = `/${t.id()}`
  const cpu = `/sys/fs/cgroup/cpu${path}`
  if (existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us')) {
    mkdirSync(cpu)
    t.defer(async () => void (await waitFor(() => removed(cpu), { what: `${cpu} to be removed` })))
    writeFileSync(`${cpu}/cpu.rt_runtime_us`, '10000')
  }
  return path
}

/** False while the last of its processes is on its way out. */
function removed(cgroup: string): boolean {
  if (!existsSync(cgroup)) return true
  try {
    rmdirSync(cgroup)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false
    throw error
  }
}
