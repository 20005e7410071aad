/** linux.resources.pids as a write; pids.rst, cgroup-v2.rst "PID". PURE. */
import type { PidsResources } from '../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { findController, type PresentCgroup } from './controller.ts'

/** 0 asks for nothing, as with runc and in what callers send for "not set". Throws RuntimeError `cgroup`. */
export function planPids({ limit }: PidsResources, cgroup: PresentCgroup): CgroupWrite[] {
  if (!limit) return []
  const field = 'linux.resources.pids.limit'
  return [findController(cgroup, 'pids', field).write(field, 'pids.max', limit < 0 ? 'max' : limit)]
}
