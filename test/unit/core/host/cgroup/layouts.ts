/** Hosts for the planners: what they have, and what the container's cgroup has now. */
import type { CgroupLayout, Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { PresentCgroup } from '@crio-lxc/core/host/cgroup/plan/controller'
import { planResourceWrites } from '@crio-lxc/core/host/cgroup/plan/resource-writes'
import type { Resources } from '@crio-lxc/core/oci/resources'

const v1 = (name: string): Hierarchy => ({
  name,
  mountPoint: `/sys/fs/cgroup/${name}`,
  version: 1,
  controllers: name.split(','),
})
const v2 = (name: string, controllers: string): Hierarchy => ({
  name,
  mountPoint: `/sys/fs/cgroup${name && `/${name}`}`,
  version: 2,
  controllers: controllers.split(' ').filter(Boolean),
})

const everyV1 = 'cpu,cpuacct cpuset memory blkio pids hugetlb net_cls net_prio rdma'.split(' ').map(v1)
export const hosts = {
  v1: { mode: 'v1', hierarchies: everyV1 },
  hybrid: { mode: 'hybrid', hierarchies: [...everyV1, v2('unified', '')] },
  /** The memory controller is on v2, the others are nowhere. */
  mixed: { mode: 'hybrid', hierarchies: [v1('pids'), v2('unified', 'memory')] },
  v2: { mode: 'v2', hierarchies: [v2('', 'cpu cpuset memory io pids hugetlb rdma')] },
  bare: { mode: 'v2', hierarchies: [v2('', '')] },
} as const satisfies Record<string, CgroupLayout>

export type Host = keyof typeof hosts

/** `file value` of each write; `file value | file value` with what stands in, `?` where a missing file is no error. */
export function writesOn(host: Host, resources: Resources, present: Readonly<Record<string, string>> = {}): string[] {
  const cgroup: PresentCgroup = { layout: hosts[host], read: (_, file) => present[file] }
  return planResourceWrites(resources, cgroup).map(({ file, value, ifMissing }) => {
    const write = `${file} ${value}`
    if (ifMissing === undefined) return write
    return ifMissing === 'nothing' ? `${write} ?` : `${write} | ${ifMissing.file} ${ifMissing.value}`
  })
}
