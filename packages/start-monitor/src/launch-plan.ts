/**
 * What happens between posix_spawn and crio-lxc-start: crio-lxc-init runs this plan in the place of the monitor, so
 * joining the cgroup, whose first write waits for an RCU grace period, overlaps with the work of create.
 */
import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWNS, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_REC, MS_SLAVE } from '@crio-lxc/core/abi/constants'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'

export interface LaunchInputs {
  readonly arch: Arch
  /** cgroup.procs of the container's cgroup in every hierarchy, open for writing. */
  readonly cgroupProcs: readonly number[]
  /** Read end of the pipe on which create says that everything is written. */
  readonly go: number
  /** crio-lxc-start and its arguments, NAME LXCPATH CONFIG. */
  readonly command: readonly string[]
}

export function planLaunch({ arch, cgroupProcs, go, command }: LaunchInputs): Plan {
  const plan = new Plan(planTag.launch, arch)
  const zero = plan.string('0')
  for (const fd of cgroupProcs) {
    plan.step("join the container's cgroup", 'write', [fd, zero, 1])
    plan.step('close cgroup.procs', 'close', [fd])
  }
  planHide(plan)
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  // End of file instead of the byte: create is gone, and so must be everything it began.
  plan.step('wait for the word to go on', 'read', [go, byte, 1], { zeroIsFailure: true })
  plan.step('close the pipe', 'close', [go])
  const program = command[0] ?? ''
  plan.step(`execute ${program}`, 'execve', [plan.string(program), plan.strings(command), plan.strings([])])
  return plan
}

/**
 * liblxc must neither place the container in cgroups, which core has done, nor leave lock files in /run: both
 * directories are empty in the monitor's mount namespace.
 */
function planHide(plan: Plan): void {
  const none = plan.string('none')
  const tmpfs = plan.string('tmpfs')
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
  plan.step('unshare the mount namespace of the monitor', 'unshare', [CLONE_NEWNS])
  plan.step("keep the monitor's mounts from the host", 'mount', [0, plan.string('/'), 0, MS_SLAVE | MS_REC, 0])
  for (const path of ['/sys/fs/cgroup', '/run'])
    plan.step(`hide ${path} from liblxc`, 'mount', [none, plan.string(path), tmpfs, flags, 0])
}
