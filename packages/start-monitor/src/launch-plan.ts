/**
 * What happens between posix_spawn and crio-lxc-start: crio-lxc-init runs this plan in the place of the monitor, so
 * liblxc starts in the container's cgroup, sees nothing of the host's, and its preparation overlaps with the work of
 * create.
 */
import type { Arch } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWNS, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_REC, MS_SLAVE } from '@crio-lxc/core/abi/constants'
import { type OpenCgroup, planJoinCgroup } from '@crio-lxc/core/cgroup/plan/join-cgroup'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'

export interface LaunchInputs {
  readonly arch: Arch
  /** The container's. */
  readonly cgroup: OpenCgroup
  /** Write end of the pipe that create reads: the pid when the process has forked, or a failure record. */
  readonly report: number
  /** crio-lxc-start and its arguments, NAME LXCPATH CONFIG. */
  readonly command: readonly string[]
}

export function planLaunch({ arch, cgroup, report, command }: LaunchInputs): Plan {
  const plan = new Plan(planTag.launch, arch)
  const end = new Label()
  planJoinCgroup(plan, cgroup, { report, end })
  planHide(plan)
  const program = command[0] ?? ''
  plan.step(`execute ${program}`, 'execve', [plan.string(program), plan.strings(command), plan.strings([])])
  plan.place(end)
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
