/** Device rules on cgroup v2: a program of the container's cgroup, gone with it. */

import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import { setDeviceProgram } from '../../sys/bpf.ts'
import { close } from '../../sys/fd.ts'
import { O_RDONLY, openFile } from '../../sys/files.ts'
import type { DevicePlan } from './plan/device-plan.ts'
import { encodeInstructions, planDeviceProgram } from './plan/device-program.ts'

/**
 * Puts the policy into effect for the cgroup `path`, in place of an earlier one; does nothing for a v1 hierarchy, whose
 * policy is among the writes. What is open already stays usable. Throws RuntimeError `cgroup`.
 */
export function applyDevicePlan(path: string, { hierarchy, policy }: DevicePlan): void {
  if (hierarchy.version === 1) return
  const directory = hierarchy.mountPoint + path
  try {
    const fd = openFile(directory, O_RDONLY)
    try {
      setDeviceProgram(fd, encodeInstructions(planDeviceProgram(policy)))
    } finally {
      close(fd)
    }
  } catch (cause) {
    throw new RuntimeError(
      'cgroup',
      `linux.resources.devices: restrict the devices of ${directory}: ${messageOf(cause)}: it takes CAP_SYS_ADMIN and a kernel with CONFIG_CGROUP_BPF`,
      { cause },
    )
  }
}
