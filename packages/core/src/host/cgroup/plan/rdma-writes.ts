/** linux.resources.rdma as writes; rdma.rst of cgroup v1, cgroup-v2.rst "RDMA": one file, the same in both. PURE. */
import { fieldOf } from '../../../oci/field-path.ts'
import type { RdmaLimits } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { findController, type PresentCgroup } from './controller.ts'

/** Here 0 is a limit; what is absent stays as it is. Throws RuntimeError `cgroup`. */
export function planRdma(rdma: Readonly<Record<string, RdmaLimits>>, cgroup: PresentCgroup): CgroupWrite[] {
  return Object.entries(rdma).flatMap(([device, { hcaHandles, hcaObjects }]) => {
    const field = fieldOf('linux.resources.rdma', device)
    const limits = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`]),
    ]
    if (limits.length === 0) return []
    return [findController(cgroup, 'rdma', field).write(field, 'rdma.max', [device, ...limits].join(' '))]
  })
}
