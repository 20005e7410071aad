/**
 * What init does between liblxc's stage and the container's program, in order. Everything that can fail stands
 * before "parked": after it init only waits for `start`, loads seccomp and executes.
 */
import type { Arch } from '@crio-lxc/core/abi/arch'
import {
  AT_FDCWD,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  F_SETFL,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_PRIVATE,
  MS_REC,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from '@crio-lxc/core/abi/constants'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { ACKNOWLEDGE_FIFO, START_FIFO } from '@crio-lxc/core/plan/fifo-names'
import { GroupTimes } from '@crio-lxc/core/plan/group-times'
import { type Arg, Plan, planTag, REPORT, type Slot } from '@crio-lxc/core/plan/plan'
import { planReportReady } from '@crio-lxc/core/plan/record'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { ensureTarget, setMountAttr } from './inside-root.ts'
import { parsePropagation } from './mount-options.ts'
import { planCloseAllBut } from './steps/close-fds.ts'
import { devicesOf, planDeviceLinks, planDevices } from './steps/devices.ts'
import { type Gate, planGate } from './steps/gate.ts'
import { planEnterHostTree } from './steps/host-tree.ts'
import { planProveProc } from './steps/kernel-mounts.ts'
import { type CgroupMounts, type DetachedMount, planMounts, planReadonlyMounts } from './steps/mounts.ts'
import { type MovedDevices, planNetDevices } from './steps/net-devices.ts'
import { planLoopback } from './steps/network.ts'
import { planOwnNodes } from './steps/own-nodes.ts'
import { MASKS, planMaskedPaths, planReadonlyPaths } from './steps/paths.ts'
import { planPrivateProc, planStagedProc } from './steps/private-proc.ts'
import { type ProcessInputs, planBecomeProcess, planExecute, planOpenRoot, planPrologue } from './steps/process.ts'
import { planAffinity } from './steps/scheduling.ts'
import { isLabelled } from './steps/security-label.ts'
import { planSessionKeyring } from './steps/session-keyring.ts'
import { planFetchStagedMounts } from './steps/staged-mounts.ts'
import { countStdioNodes, planStdio, type StdioDevice } from './steps/stdio.ts'
import { planSysctls } from './steps/sysctl.ts'
import { type Console, planConsole, planControllingTerminal, planTerminal } from './steps/terminal.ts'
import { planTimeNamespace } from './steps/time-namespace.ts'
import type { TreeSource } from './steps/tree-bind.ts'

/** What create opened on the host for init to inherit under the same numbers. */
export interface ContainerFds {
  /** Detached clone of root.path. */
  readonly rootfs: number
  readonly mounts: ReadonlyMap<number, DetachedMount>
  /** Binds whose sources are in the container's own tree. */
  readonly fromTree: ReadonlyMap<number, TreeSource>
  /** By path: detached binds of the nodes that create has made, where init may make none. */
  readonly devices: ReadonlyMap<string, number>
  /** The same for the masks of files. */
  readonly nullDevice: number | undefined
  /** The directory of the start fifo. */
  readonly fifoDirectory: number
  /** Write end of the pipe that create reads. */
  readonly report: number
  readonly console: Console | undefined
  /** What init replaces of what it has inherited: none in a user namespace, in which nobody can make a node. */
  readonly stdio: readonly StdioDevice[]
  /** A cgroup namespace to join: liblxc makes new ones only. */
  readonly cgroupNamespace: number | undefined
  /** Given when there are linux.netDevices that init is to move; from a user namespace it may not. */
  readonly netDevices: MovedDevices | undefined
  /** Given when create has something to do while init waits. */
  readonly gate: Gate | undefined
  /** `--preserve-fds`: 3 and following stay open in the container. */
  readonly preserved: number
}

export interface ContainerInputs {
  readonly arch: Arch
  readonly spec: Spec
  readonly process: ProcessInputs
  /** Namespaces that are not the runtime's, and those of them that are new. */
  readonly namespaces: { readonly all: ReadonlySet<NamespaceType>; readonly created: ReadonlySet<NamespaceType> }
  readonly fds: ContainerFds
  readonly cgroup: CgroupMounts
  /** The process gets a session keyring of its own. */
  readonly newKeyring: boolean
  /** Given when the container is in a user namespace, new or joined. */
  readonly userNamespace: { readonly staged: readonly StagedMount[] } | undefined
  /** The plan notes when it begins what. */
  readonly traced?: boolean
}

export function planContainer(inputs: ContainerInputs): Plan {
  const { arch, spec, process, namespaces, newKeyring, fds, cgroup, userNamespace } = inputs
  const plan = new Plan(planTag.container, arch)
  const { rootfs } = fds
  const linux = spec.linux ?? {}
  if (inputs.traced) plan.times = new GroupTimes(plan)
  plan.times?.begin('namespaces')
  planPrologue(plan)
  if (newKeyring) planSessionKeyring(plan)
  // The caller's CPUs are no limit of the container's; before process.scheduler, which may need all of them.
  planAffinity(plan, 'the CPU affinity', undefined)
  if (fds.cgroupNamespace !== undefined)
    plan.step('join the cgroup namespace', 'setns', [fds.cgroupNamespace, CLONE_NEWCGROUP])
  // While the stage is what liblxc made of it: its mounts are still the host's slaves.
  if (userNamespace) planFetchStagedMounts(plan, userNamespace.staged)
  const { sysctl = {} } = linux
  const labelled = isLabelled(process.process)
  const newTime = namespaces.created.has('time')
  const needsProc = labelled || newTime || Object.keys(sysctl).length > 0
  // In a user namespace nobody may mount a procfs that shows the host's processes.
  const hostProc = needsProc && userNamespace && !namespaces.all.has('pid') ? planStagedProc(plan) : undefined
  if (userNamespace && namespaces.created.has('ipc'))
    plan.step('make the ipc namespace as root of the user namespace', 'unshare', [CLONE_NEWIPC])
  if (namespaces.all.has('uts')) planNames(plan, spec)
  if (namespaces.created.has('network')) planLoopback(plan)
  if (fds.netDevices) planNetDevices(plan, fds.netDevices)

  plan.times?.begin('mounts')
  // liblxc leaves the stage shared: without this the container's mounts would propagate between mount namespaces.
  plan.step('make the stage private', 'mount', [0, plan.string('/'), 0, MS_PRIVATE | MS_REC, 0])
  const hostTree = fds.gate?.hostTree
  if (hostTree) planEnterHostTree(plan, hostTree)
  planAttachRootfs(plan, spec, { rootfs, at: hostTree?.rootfs ?? '/root' })
  const mounts = spec.mounts ?? []
  const label = linux.mountLabel ?? ''
  const { made, kernel } = planMounts(plan, {
    root: rootfs,
    mounts,
    detached: fds.mounts,
    fromTree: fds.fromTree,
    cgroup,
    label,
  })
  plan.times?.begin('devices')
  const { maskedPaths = [] } = linux
  const set = devicesOf(linux.devices ?? [], mounts)
  const covering = userNamespace ? 0 : (set?.covering.length ?? 0)
  const nodes = (maskedPaths.length > 0 ? MASKS : 0) + covering + countStdioNodes(fds.stdio)
  const stage = hostTree?.stage ?? ''
  const ownNodes = nodes > 0 ? planOwnNodes(plan, { stage, label, count: nodes }) : undefined
  if (ownNodes) planStdio(plan, ownNodes, fds.stdio)
  if (set) {
    planDevices(plan, { root: rootfs, ...set, detached: fds.devices, ownNodes })
    planDeviceLinks(plan, rootfs)
  }
  const terminal =
    fds.console &&
    planTerminal(plan, { root: rootfs, ...fds.console, size: spec.process.consoleSize, uid: spec.process.user.uid })
  if (terminal) planConsole(plan, rootfs, terminal)
  const cwd = { root: rootfs, path: spec.process.cwd, directory: true, what: 'process.cwd' }
  plan.step('close process.cwd', 'close', [ensureTarget(plan, cwd)])
  const proc = needsProc ? (hostProc ?? planPrivateProc(plan)) : undefined
  // Before the hooks of create, which enter it.
  // With a user namespace the monitor's time namespace has the offsets, and every one that is made from there.
  if (newTime && proc) planTimeNamespace(plan, userNamespace ? {} : (linux.timeOffsets ?? {}), proc)
  if (fds.gate) plan.times?.begin('wait for create')
  // Hooks may still change the rootfs and mount in it; what follows takes that away. Devices bring their sysctls.
  if (fds.gate) planGate(plan, { report: fds.report, go: fds.gate.go })
  plan.times?.begin('sysctls and paths')
  planProveProc(plan, rootfs, kernel)
  if (proc) planSysctls(plan, sysctl, proc)
  planReadonlyPaths(plan, { root: rootfs, kernel, paths: linux.readonlyPaths ?? [] })
  if (ownNodes && maskedPaths.length > 0)
    planMaskedPaths(plan, { root: rootfs, kernel, paths: maskedPaths, ownNodes, nullDevice: fds.nullDevice })
  planReadonlyMounts(plan, made)
  if (spec.root.readonly)
    setMountAttr(plan, 'make root.path read-only', { fd: rootfs, attr: { set: MOUNT_ATTR_RDONLY, clear: 0 } })
  plan.times?.begin('pivot')
  planPivot(plan, rootfs)
  const propagation = parsePropagation(linux.rootfsPropagation ?? '')
  if (propagation) plan.step('set linux.rootfsPropagation', 'mount', [0, plan.string('/'), 0, propagation, 0])

  if (terminal) planControllingTerminal(plan, terminal)
  plan.times?.begin('become the process')
  const root = planOpenRoot(plan)
  const executable = planBecomeProcess(plan, process, {
    root,
    proc: labelled ? proc : undefined,
    privileged: userNamespace ? 'create' : 'own',
  })
  plan.step('close the root', 'close', [root])
  planCloseAllBut(plan, [fds.report, fds.fifoDirectory], fds.preserved)
  const acknowledge = process.seccomp?.notifies ? plan.slot('acknowledge fifo') : undefined
  planPark(plan, fds, acknowledge)
  planExecute(plan, process, { executable, acknowledge, awaitReader: true })
  return plan
}

function planNames(plan: Plan, { hostname, domainname }: Spec): void {
  if (hostname) {
    const name = plan.string(hostname)
    plan.step('set hostname', 'sethostname', [name, name.length])
  }
  if (domainname) {
    const name = plan.string(domainname)
    plan.step('set domainname', 'setdomainname', [name, name.length])
  }
}

function planAttachRootfs(plan: Plan, { root }: Spec, { rootfs, at }: { rootfs: number; at: string }): void {
  plan.step(`attach root.path ${root.path}`, 'move_mount', [
    rootfs,
    plan.string(''),
    AT_FDCWD,
    plan.string(at),
    MOVE_MOUNT_F_EMPTY_PATH,
  ])
}

/** pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is detached at once. */
function planPivot(plan: Plan, rootfs: number): void {
  const here = plan.string('.')
  plan.step('enter the rootfs', 'fchdir', [rootfs])
  plan.step('make the rootfs the root', 'pivot_root', [here, here])
  plan.step('detach the old root', 'umount2', [here, MNT_DETACH])
  plan.step('enter the root', 'chdir', [plan.string('/')])
}

function planPark(plan: Plan, { report, fifoDirectory }: ContainerFds, acknowledge: Slot | undefined): void {
  // Open before there is a writer, so that `start` can be the only one: its end is then the end of the file.
  if (acknowledge)
    plan.step(
      'open the fifo on which start acknowledges the seccomp listener',
      'openat',
      [fifoDirectory, plan.string(ACKNOWLEDGE_FIFO), O_RDONLY | O_NONBLOCK | O_CLOEXEC],
      { result: acknowledge },
    )
  plan.times?.report(report)
  planReportReady(plan, 'report that everything is ready', report)
  plan.step('close the report pipe', 'close', [report])
  const fifo: readonly Arg[] = [fifoDirectory, plan.string(START_FIFO), O_WRONLY | O_CLOEXEC]
  plan.step('wait for start', 'openat', fifo, { role: 'wait-for-start', result: REPORT })
  plan.step('close the directory of the start fifo', 'close', [fifoDirectory])
  if (acknowledge) plan.step('make that fifo block', 'fcntl', [acknowledge, F_SETFL, 0])
}
