/**
 * What init does between liblxc's stage and the container's program, in order. Everything that can fail stands
 * before "parked": after it init only waits for `start`, loads seccomp and executes.
 */
import {
  F_SETFL,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from '@crio-lxc/core/abi/constants'
import { ACKNOWLEDGE_FIFO, START_FIFO } from '@crio-lxc/core/plan/fifo-names'
import { GroupTimes } from '@crio-lxc/core/plan/group-times'
import { type Arg, Plan, planTag, REPORT, type Slot } from '@crio-lxc/core/plan/plan'
import { planReportReady } from '@crio-lxc/core/plan/record'
import type { ContainerFds, ContainerInputs } from './container-inputs.ts'
import { ensureTarget, setMountAttr } from './inside-root.ts'
import { parsePropagation } from './mount-options.ts'
import { planCloseAllBut } from './steps/close-fds.ts'
import { type Filesystem, planFilesystem } from './steps/filesystem.ts'
import { planGate } from './steps/gate.ts'
import { planProveProc } from './steps/kernel-mounts.ts'
import { planReadonlyMounts } from './steps/mounts.ts'
import { planOwnNamespaces } from './steps/own-namespaces.ts'
import { planMaskedPaths, planReadonlyPaths } from './steps/paths.ts'
import { planPrivateProc } from './steps/private-proc.ts'
import { planBecomeProcess, planExecute, planOpenRoot } from './steps/process.ts'
import { isLabelled } from './steps/security-label.ts'
import { planSysctls } from './steps/sysctl.ts'
import { planControllingTerminal } from './steps/terminal.ts'
import { planTimeNamespace } from './steps/time-namespace.ts'

export function planContainer(inputs: ContainerInputs): Plan {
  const { arch, spec, process, namespaces, fds, userNamespace } = inputs
  const plan = new Plan(planTag.container, arch)
  const { rootfs } = fds
  const { sysctl = {}, timeOffsets = {} } = spec.linux ?? {}
  if (inputs.traced) plan.times = new GroupTimes(plan)
  plan.times?.group('namespaces')
  const labelled = isLabelled(process.process)
  const newTime = namespaces.created.has('time')
  const needsProc = labelled || newTime || Object.keys(sysctl).length > 0
  const hostProc = planOwnNamespaces(plan, inputs, needsProc)
  const filesystem = planFilesystem(plan, inputs)
  const cwd = { root: rootfs, path: spec.process.cwd, directory: true, what: 'process.cwd' }
  plan.step('close process.cwd', 'close', [ensureTarget(plan, cwd)])
  const proc = needsProc ? (hostProc ?? planPrivateProc(plan)) : undefined
  // Before the hooks of create, which enter it.
  // With a user namespace the monitor's time namespace has the offsets, and every one that is made from there.
  if (newTime && proc) planTimeNamespace(plan, userNamespace ? {} : timeOffsets, proc)
  if (fds.gate) plan.times?.group('wait for create')
  // Hooks may still change the rootfs and mount in it; what follows takes that away. Devices bring their sysctls.
  if (fds.gate) planGate(plan, { report: fds.report, go: fds.gate.go })
  plan.times?.group('sysctls and paths')
  planProveProc(plan, rootfs, filesystem.kernel)
  if (proc) planSysctls(plan, sysctl, proc)
  planTakeAway(plan, inputs, filesystem)
  planPivot(plan, inputs)
  if (filesystem.terminal) planControllingTerminal(plan, filesystem.terminal)
  plan.times?.group('become the process')
  const root = planOpenRoot(plan)
  const executable = planBecomeProcess(plan, process, {
    root,
    proc: labelled ? proc : undefined,
    privileged: userNamespace ? 'create' : 'own',
  })
  plan.step('close the root', 'close', [root])
  planCloseAllBut(plan, [fds.report, fds.fifoDirectory, ...fds.preserved])
  const acknowledge = process.seccomp?.notifies ? plan.slot('acknowledge fifo') : undefined
  planPark(plan, fds, acknowledge)
  planExecute(plan, process, { executable, acknowledge, awaitReader: true })
  return plan
}

/** What the container must not see or write to. */
function planTakeAway(plan: Plan, { spec, fds }: ContainerInputs, { made, kernel, ownNodes }: Filesystem): void {
  const { rootfs: root, nullDevice } = fds
  const { readonlyPaths = [], maskedPaths = [] } = spec.linux ?? {}
  planReadonlyPaths(plan, { root, kernel, paths: readonlyPaths })
  if (ownNodes && maskedPaths.length > 0)
    planMaskedPaths(plan, { root, kernel, paths: maskedPaths, ownNodes, nullDevice })
  planReadonlyMounts(plan, made)
  if (spec.root.readonly)
    setMountAttr(plan, 'make root.path read-only', { fd: root, attr: { set: MOUNT_ATTR_RDONLY, clear: 0 } })
}

/** pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is detached at once. */
function planPivot(plan: Plan, { spec, fds }: ContainerInputs): void {
  plan.times?.group('pivot')
  const here = plan.string('.')
  plan.step('enter the rootfs', 'fchdir', [fds.rootfs])
  plan.step('make the rootfs the root', 'pivot_root', [here, here])
  plan.step('detach the old root', 'umount2', [here, MNT_DETACH])
  plan.step('enter the root', 'chdir', [plan.string('/')])
  const propagation = parsePropagation(spec.linux?.rootfsPropagation ?? '')
  if (propagation) plan.step('set linux.rootfsPropagation', 'mount', [0, plan.string('/'), 0, propagation, 0])
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
