/** linux.resources.cpu.cpus and mems as writes; cpusets.rst, cgroup-v2.rst "Cpuset". PURE. */
import type { CpuResources } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { findController, type PresentCgroup } from './controller.ts'

/** Both versions have the same two files. Throws RuntimeError `cgroup`. */
export function planCpuset({ cpus, mems }: CpuResources, cgroup: PresentCgroup): CgroupWrite[] {
  return Object.entries({ cpus, mems }).flatMap(([name, list]) => {
    const field = `linux.resources.cpu.${name}`
    return list ? [findController(cgroup, 'cpuset', field).write(field, `cpuset.${name}`, list)] : []
  })
}
