/**
 * A tmpfs of the container's own, on the stage, for what covers a path of the container: its device nodes and the masks. What
 * is done to such an inode, its mode above all, is done to nobody else's.
 */

import { AT_FDCWD, MS_NOEXEC, MS_NOSUID, O_CLOEXEC, O_PATH } from '@crio-lxc/core/abi/constants'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'
import { STAGE_NODES } from '@crio-lxc/core/plan/stage'
import { labelledData } from '../mount-label.ts'

export interface OwnNodes {
  /** Path of the stage's root, without a slash at its end. */
  readonly stage: string
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
  /** How many files and directories there will be. */
  readonly count: number
}

/** Mounts it; returns an O_PATH fd of its root. */
export function planOwnNodes(plan: Plan, { stage, label, count }: OwnNodes): Slot {
  const path = plan.string(`${stage}/${STAGE_NODES}`)
  // Since Linux 6.6 the labels of a security module take room of this limit as well.
  const data = `mode=755,nr_blocks=1,nr_inodes=${2 * (count + 1)}`
  plan.step('mount a tmpfs for masks and device nodes', 'mount', [
    plan.string('tmpfs'),
    path,
    plan.string('tmpfs'),
    MS_NOSUID | MS_NOEXEC,
    plan.string(label === '' ? data : labelledData(data, label, 'linux.maskedPaths')),
  ])
  const nodes = plan.slot('tmpfs for masks and device nodes')
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
  plan.step('open the tmpfs for masks and device nodes', 'openat', [AT_FDCWD, path, flags], { result: nodes })
  return nodes
}
