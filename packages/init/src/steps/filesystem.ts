/** The container's tree: the rootfs, its mounts, its devices and its terminal, before anything of it is taken away again. */

import { AT_FDCWD, MOVE_MOUNT_F_EMPTY_PATH, MS_PRIVATE, MS_REC } from '@crio-lxc/core/abi/constants'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'
import { STAGE_ROOT } from '@crio-lxc/core/plan/stage'
import type { ContainerInputs } from '../container-inputs.ts'
import { devicesOf, planDeviceLinks, planDevices } from './devices.ts'
import { planEnterHostTree } from './host-tree.ts'
import { planMounts } from './mounts.ts'
import { planOwnNodes } from './own-nodes.ts'
import { MASKS } from './paths.ts'
import { countStdioNodes, planStdio } from './stdio.ts'
import { planConsole, planTerminal } from './terminal.ts'

export interface Filesystem extends ReturnType<typeof planMounts> {
  /** For the masks of files, and for devices. */
  readonly ownNodes: ReturnType<typeof planOwnNodes> | undefined
  /** The slave of the terminal, when the process has one. */
  readonly terminal: Slot | undefined
}

export function planFilesystem(plan: Plan, { spec, fds, cgroup, userNamespace }: ContainerInputs): Filesystem {
  plan.times?.group('mounts')
  const { rootfs } = fds
  // liblxc leaves the stage shared: without this the container's mounts would propagate between mount namespaces.
  plan.step('make the stage private', 'mount', [0, plan.string('/'), 0, MS_PRIVATE | MS_REC, 0])
  const hostTree = fds.gate?.hostTree
  if (hostTree) planEnterHostTree(plan, hostTree)
  planAttachRootfs(plan, spec, { rootfs, at: hostTree?.rootfs ?? `/${STAGE_ROOT}` })
  const { mounts = [], linux = {} } = spec
  const label = linux.mountLabel ?? ''
  const made = planMounts(plan, { root: rootfs, mounts, detached: fds.mounts, fromTree: fds.fromTree, cgroup, label })
  plan.times?.group('devices')
  const set = devicesOf(linux.devices ?? [], mounts)
  const masks = linux.maskedPaths?.length ? MASKS : 0
  const covering = userNamespace ? 0 : (set?.covering.length ?? 0)
  const nodes = masks + covering + countStdioNodes(fds.stdio)
  const ownNodes = nodes > 0 ? planOwnNodes(plan, { stage: hostTree?.stage ?? '', label, count: nodes }) : undefined
  if (ownNodes) planStdio(plan, ownNodes, fds.stdio)
  if (set) {
    planDevices(plan, { root: rootfs, ...set, detached: fds.devices, ownNodes })
    planDeviceLinks(plan, rootfs)
  }
  const { consoleSize: size, user } = spec.process
  const terminal = fds.console && planTerminal(plan, { root: rootfs, ...fds.console, size, uid: user.uid })
  if (terminal) planConsole(plan, rootfs, terminal)
  return { ...made, ownNodes, terminal }
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
