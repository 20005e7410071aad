/** Which cgroup hierarchies the host has, seen once per process; cgroups(7). */
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { type CgroupLayout, MOUNT_POINT, parseHierarchies } from './plan/cgroup-layout.ts'

const CGROUP2_SUPER_MAGIC = 0x63677270

let detected: CgroupLayout | undefined

export function cgroupLayout(): CgroupLayout {
  detected ??= detect()
  return detected
}

function detect(): CgroupLayout {
  if (statfsSync(MOUNT_POINT).type === CGROUP2_SUPER_MAGIC)
    return {
      mode: 'v2',
      hierarchies: [{ name: '', mountPoint: MOUNT_POINT, version: 2, controllers: controllers(MOUNT_POINT) }],
    }
  return parseHierarchies(readFileSync('/proc/self/cgroup', 'utf8'), { exists: existsSync, controllers })
}

function controllers(mountPoint: string): string[] {
  return readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8').split(/\s+/).filter(Boolean)
}
