/** Which cgroup hierarchies the host has, seen once per process; cgroups(7). */
import { fileExists, filesystemType, readText, unlessMissing } from '../../sys/files.ts'
import { type CgroupLayout, MOUNT_POINT, parseHierarchies } from './plan/cgroup-layout.ts'

const CGROUP2_SUPER_MAGIC = 0x63677270

let detected: CgroupLayout | undefined

export function cgroupLayout(): CgroupLayout {
  detected ??= detect()
  return detected
}

function detect(): CgroupLayout {
  if (unlessMissing(() => filesystemType(MOUNT_POINT)) === CGROUP2_SUPER_MAGIC)
    return {
      mode: 'v2',
      hierarchies: [{ name: '', mountPoint: MOUNT_POINT, version: 2, controllers: controllers(MOUNT_POINT) }],
    }
  return parseHierarchies(readText('/proc/self/cgroup'), { exists: fileExists, controllers })
}

function controllers(mountPoint: string): string[] {
  return readText(`${mountPoint}/cgroup.controllers`).split(/\s+/).filter(Boolean)
}
