/** linux.resources.pids as a write; pids.rst, cgroup-v2.rst "PID". PURE. */
import type { PidsResources } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { findController, type PresentCgroup } from './controller.ts'

/**
 * 0 allows no process but those that join: a limit, as runc has it since 1.4; what older documents mean by it is
 * pids-limit.ts's. Throws RuntimeError `cgroup`.
 */
export function planPids({ limit }: PidsResources, cgroup: PresentCgroup): CgroupWrite[] {
  if (limit === undefined) return []
  const field = 'linux.resources.pids.limit'
  return [findController(cgroup, 'pids', field).write(field, 'pids.max', limit < 0 ? 'max' : limit)]
}
