/**
 * What happens between posix_spawn and crio-lxc-start: crio-lxc-init runs this plan in the place of the monitor, so
 * liblxc starts in the container's cgroup, sees nothing of the host's, and its preparation overlaps with the work of
 * create.
 */
import type { Arch } from '@crio-lxc/core/abi/arch'
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  CLONE_NEWNS,
  CLONE_NEWTIME,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_REC,
  MS_SLAVE,
  O_CLOEXEC,
  O_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '@crio-lxc/core/abi/constants'
import type { TimeOffset } from '@crio-lxc/core/oci/linux'
import { GroupTimes } from '@crio-lxc/core/plan/group-times'
import { type OpenCgroup, planJoinCgroup } from '@crio-lxc/core/plan/join-cgroup'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { mountAttr } from '@crio-lxc/core/plan/structs'
import { planTimeOffsets } from '@crio-lxc/core/plan/time-offsets'
import { planHostProcesses, planStagedMounts } from './stage-mounts.ts'

export interface LaunchInputs {
  readonly arch: Arch
  /** The container's. */
  readonly cgroup: OpenCgroup
  /** Write end of the pipe that create reads: the pid when the process has forked, or a failure record. */
  readonly report: number
  /** fd of anything, to be replaced by a clone of the host's tree when hooks of create want to see it. */
  readonly hostTree?: number | undefined
  /** A time namespace to join, which liblxc cannot: its children are born there. */
  readonly timeNamespace?: number | undefined
  /** linux.timeOffsets of a new time namespace in a user namespace. */
  readonly timeOffsets?: Readonly<Record<string, TimeOffset>> | undefined
  /** Absolute path of the stage, which liblxc takes for the container's rootfs. */
  readonly stage: string
  /** Given when the container is in a user namespace. */
  readonly staged?: readonly StagedMount[] | undefined
  /** The container is in a user namespace, and in the host's pid namespace. */
  readonly hostPids?: boolean
  /** The plan notes when it begins what. */
  readonly traced?: boolean
  /** crio-lxc-start and its arguments, NAME LXCPATH CONFIG. */
  readonly command: readonly string[]
}

export function planLaunch(inputs: LaunchInputs): Plan {
  const { arch, cgroup, report, timeNamespace, timeOffsets, command } = inputs
  const plan = new Plan(planTag.launch, arch)
  if (inputs.traced) plan.times = new GroupTimes(plan)
  const end = new Label()
  plan.times?.group('join the cgroup')
  planJoinCgroup(plan, cgroup, { report, end })
  if (timeNamespace !== undefined) plan.step('join the time namespace', 'setns', [timeNamespace, CLONE_NEWTIME])
  if (timeOffsets) planMonitorTime(plan, timeOffsets)
  plan.times?.group("make the monitor's mount namespace")
  planMountNamespace(plan, inputs)
  plan.times?.group('crio-lxc-start and liblxc')
  plan.times?.report(report)
  const program = command[0] ?? ''
  plan.step(`execute ${program}`, 'execve', [plan.string(program), plan.strings(command), plan.strings([])])
  plan.place(end)
  return plan
}

/**
 * In a user namespace nobody can write init's timens_offsets: the file belongs to root of the host, because init cannot be
 * traced. A time namespace begins with the offsets of the one that its maker is in.
 */
function planMonitorTime(plan: Plan, offsets: Readonly<Record<string, TimeOffset>>): void {
  const proc = plan.slot('procfs')
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
  plan.step('make a time namespace for the monitor', 'unshare', [CLONE_NEWTIME])
  plan.step("open the host's /proc", 'openat', [AT_FDCWD, plan.string('/proc'), flags], { result: proc })
  planTimeOffsets(plan, offsets, proc)
}

/**
 * liblxc must neither place the container in cgroups, which core has done, nor leave lock files in /run: both
 * directories are empty in the monitor's mount namespace.
 */
function planMountNamespace(plan: Plan, { hostTree, stage, staged, hostPids }: LaunchInputs): void {
  const none = plan.string('none')
  const tmpfs = plan.string('tmpfs')
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
  plan.step('unshare the mount namespace of the monitor', 'unshare', [CLONE_NEWNS])
  const advice = {
    EINVAL: 'the root directory here is no mount point, as in a chroot: bind it on itself, or pivot_root into it',
  }
  plan.step("keep the monitor's mounts from the host", 'mount', [0, plan.string('/'), 0, MS_SLAVE | MS_REC, 0], {
    advice,
  })
  if (hostTree !== undefined) planCloneHostTree(plan, hostTree)
  for (const path of ['/sys/fs/cgroup', '/run'])
    plan.step(`hide ${path} from liblxc`, 'mount', [none, plan.string(path), tmpfs, flags, 0])
  planReadonlyStage(plan, stage)
  if (staged) planStagedMounts(plan, stage, staged)
  if (hostPids) planHostProcesses(plan, stage)
}

/**
 * Whoever gets hold of the executor's file in the container cannot write to it (CVE-2019-5736), and liblxc cannot put its
 * `.lxc_keep` beside it, which a monitor that is killed at once would leave there. The mounts below stay as they are.
 */
function planReadonlyStage(plan: Plan, stage: string): void {
  const path = plan.string(stage)
  plan.step('bind the stage', 'mount', [path, path, 0, MS_BIND, 0])
  const attr = mountAttr(plan, { set: MOUNT_ATTR_RDONLY, clear: 0 })
  plan.step('make the stage read-only', 'mount_setattr', [AT_FDCWD, path, 0, attr, 32])
}

/**
 * Here and not in create, because a copy of the mount namespace leaves out what create's clone would have: mounts of
 * other mount namespaces' files, as snapd has them in /run, which no younger namespace can attach.
 */
function planCloneHostTree(plan: Plan, hostTree: number): void {
  const clone = plan.slot("the host's tree")
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
  plan.step("clone the host's tree for the hooks", 'open_tree', [AT_FDCWD, plan.string('/'), flags], { result: clone })
  plan.step("keep mounts of the hooks from the host's tree", 'mount_setattr', [
    clone,
    plan.string(''),
    AT_EMPTY_PATH | AT_RECURSIVE,
    mountAttr(plan, { set: 0, clear: 0, propagation: MS_PRIVATE }),
    32,
  ])
  plan.step("hand on the host's tree", 'dup3', [clone, hostTree, 0])
}
