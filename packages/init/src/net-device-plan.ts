import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWNET } from '@crio-lxc/core/abi/constants'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { planReportReady } from '@crio-lxc/core/plan/record'
import { planHelper } from './steps/helper.ts'
import { type MovedDevices, planNetDevices } from './steps/net-devices.ts'

export interface NetDeviceInputs {
  readonly arch: Arch
  /** fd of the network namespace that gets the devices. */
  readonly namespace: number
  readonly netDevices: MovedDevices
  /** Write end of the pipe that says when they are there, or what failed. */
  readonly report: number
}

/**
 * A process that moves linux.netDevices to a container in a user namespace: the kernel asks whoever sends a device away for
 * CAP_NET_ADMIN over the namespace that it leaves (rtnetlink(7)), and init has it at most over its own.
 */
export function planNetDeviceProcess({ arch, namespace, netDevices, report }: NetDeviceInputs): Plan {
  const plan = new Plan(planTag.netDevices, arch)
  planHelper(plan)
  plan.step("join the container's network namespace", 'setns', [namespace, CLONE_NEWNET])
  planNetDevices(plan, netDevices)
  planReportReady(plan, 'report that the devices are there', report)
  return plan
}
