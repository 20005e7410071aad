/**
 * The first move of a process between cgroups waits for an RCU grace period, 8 to 11 ms; moves that follow closely do
 * not (kernel/cgroup/cgroup.c, cgroup_threadgroup_rwsem). So the wait is begun when a command starts, on another thread,
 * by a move that changes nothing: this process into the cgroup where it is.
 */
import { closeSync, openSync, readFileSync, write } from 'node:fs'
import { cgroupLayout } from './hierarchies.ts'

/** Returns at once. It only saves time: where it cannot be done the later move waits, and reports its own errors. */
export function hastenMigration(): void {
  try {
    const fd = openSync(`${ownDirectory()}/cgroup.procs`, 'r+')
    write(fd, '0', () => closeSync(fd))
  } catch {
    // A cgroup that may not be written to is no reason to fail here.
  }
}

function ownDirectory(): string {
  const [hierarchy] = cgroupLayout().hierarchies
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  const prefix = hierarchy?.version === 2 ? '0::' : `:${hierarchy?.controllers.join(',')}:`
  const line = lines.find((text) => text.includes(prefix)) ?? ''
  return `${hierarchy?.mountPoint}${line.slice(line.indexOf(prefix) + prefix.length)}`
}
