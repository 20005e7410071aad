import type { Arch } from '@crio-lxc/core/abi/arch'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { HostNetDevices } from '@crio-lxc/core/host/net-devices'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { callText } from '@crio-lxc/core/plan/print'
import { close } from '@crio-lxc/core/sys/fd'
import { planNetDeviceProcess } from '@crio-lxc/init/net-device-plan'
import { openContainerNamespace } from '../namespaces/container-namespaces.ts'
import { withPlanProcess } from '../plan-process/plan-process.ts'
import { stepError } from '../plan-process/step-error.ts'

export interface MoveOptions {
  readonly arch: Arch
  /** Path of crio-lxc-init. */
  readonly executor: string
  readonly timeoutMs: number
}

/** Moves linux.netDevices into the network namespace of a container's init. Throws RuntimeError. */
export function moveNetDevices(netDevices: HostNetDevices, target: ProcessIdentity, options: MoveOptions): void {
  const { arch, executor, timeoutMs } = options
  const what = 'move linux.netDevices to the container'
  const namespace = openContainerNamespace(target, 'network')
  try {
    const fds = [namespace, netDevices.socket]
    const plan = (report: number) => planNetDeviceProcess({ arch, namespace, netDevices, report })
    withPlanProcess({ executor, timeoutMs, what, fds, plan }, (record, process) => {
      if (record?.kind === 'ready') return
      const step = record?.kind === 'failure' ? process.plan.steps[record.step] : undefined
      if (record?.kind !== 'failure' || !step)
        throw new RuntimeError('create-failed', `${what}: the process that was to do it ended`)
      throw stepError('create-failed', step, { call: callText(step), errno: record.errno, command: '' })
    })
  } finally {
    close(namespace)
  }
}
