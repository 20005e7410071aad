/** linux.resources as writes in order, for create and `update`. PURE. */
import type { Resources } from '../../../oci/resources.ts'
import { planBlockIo } from './block-io-writes.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import type { PresentCgroup } from './controller.ts'
import { planCpu } from './cpu-writes.ts'
import { planCpuset } from './cpuset-writes.ts'
import type { DevicePlan } from './device-plan.ts'
import { deviceLine } from './device-policy.ts'
import { planHugepages } from './hugepage-writes.ts'
import { planMemory } from './memory-writes.ts'
import { planNetwork } from './network-writes.ts'
import { planPids } from './pids-writes.ts'
import { planRdma } from './rdma-writes.ts'
import { planUnified } from './unified-writes.ts'

/**
 * The writes that put `resources` into effect, in an order that the kernel takes in every step. Throws RuntimeError
 * `cgroup`, which names field and controller, for what the host lacks, and SpecError for values that cannot be.
 */
export function planResourceWrites(resources: Resources, cgroup: PresentCgroup): CgroupWrite[] {
  const { memory, cpu, pids, blockIO, hugepageLimits, network, rdma, unified } = resources
  return [
    ...(pids ? planPids(pids, cgroup) : []),
    ...(cpu ? planCpuset(cpu, cgroup) : []),
    ...(cpu ? planCpu(cpu, cgroup) : []),
    ...(memory ? planMemory(memory, cgroup, unified) : []),
    ...(hugepageLimits ? planHugepages(hugepageLimits, cgroup) : []),
    ...(blockIO ? planBlockIo(blockIO, cgroup) : []),
    ...(rdma ? planRdma(rdma, cgroup) : []),
    ...(network ? planNetwork(network, cgroup) : []),
    // The last word, as with runc: whoever names a file means that file.
    ...(unified ? planUnified(unified, cgroup) : []),
  ]
}

/** What a plan for v1 writes, nothing for a program. The default first: it clears what the cgroup inherited or had before. */
export function planDeviceWrites(plan: DevicePlan | undefined): CgroupWrite[] {
  if (plan?.hierarchy.version !== 1) return []
  const {
    hierarchy,
    policy: { allow, exceptions },
  } = plan
  const field = 'linux.resources.devices'
  const file = (allowed: boolean): string => (allowed ? 'devices.allow' : 'devices.deny')
  return [
    { hierarchy, file: file(allow), value: 'a', field },
    ...exceptions.map((exception) => ({
      hierarchy,
      file: file(!allow),
      value: deviceLine(exception),
      field: exception.field ?? field,
    })),
  ]
}
