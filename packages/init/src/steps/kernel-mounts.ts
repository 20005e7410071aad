/**
 * The mounts that the list has made on /proc and /sys. Their names are the image's: who shares it may exchange them at any
 * time, so whatever is done inside these mounts is done from their fds (CVE-2025-52881).
 */
import { O_PATH, RESOLVE_NO_SYMLINKS } from '@crio-lxc/core/abi/constants'
import { errnoTable } from '@crio-lxc/core/abi/errno'
import { type Arg, Label, type Plan } from '@crio-lxc/core/plan/plan'
import { planCompare, planStatx, statxOffset } from '../compare.ts'
import { components, openInRoot, type Place } from '../inside-root.ts'

/** By the path of the mount: an fd of its root. The last mount on a path counts. */
export type KernelMounts = ReadonlyMap<string, Arg>

/** The path of a mount that is one of them; undefined for every other. */
export function kernelMountPath(destination: string): string | undefined {
  const path = components(destination).join('/')
  return path === 'proc' || path === 'sys' ? path : undefined
}

/** Where `path` is looked for: inside the mount on /proc or /sys, or from the container's root. */
export function placeOf(path: string, root: Arg, mounts: KernelMounts): Place {
  const mount = mounts.get(components(path)[0] ?? '')
  return mount === undefined ? { root, path } : { root: mount, path, depth: 1 }
}

const STATX_MNT_ID = 0x1000

/** Fails when the name /proc does not lead to the mount that the list has made there, for all who believe it. */
export function planProveProc(plan: Plan, root: Arg, mounts: KernelMounts): void {
  const mount = mounts.get('proc')
  if (mount === undefined) return
  const found = plan.slot('/proc')
  openInRoot(
    plan,
    { root, path: '/proc' },
    { what: 'open /proc', flags: O_PATH, resolve: RESOLVE_NO_SYMLINKS, result: found },
  )
  const there = planStatx(plan, { what: 'look at the mount at /proc', fd: found, mask: STATX_MNT_ID })
  const ours = planStatx(plan, { what: 'look at the mount of the procfs', fd: mount, mask: STATX_MNT_ID })
  const differs = new Label()
  const end = new Label()
  const value = plan.wordAt(ours, statxOffset.mountId)
  const offset = statxOffset.mountId
  planCompare(plan, { what: 'see whether it is the procfs', of: there, offset, value }, differs)
  plan.step('close /proc', 'close', [found], { onOk: end })
  plan.place(differs)
  plan.step('find the procfs at /proc: another mount lies on it', 'fail', [errnoTable.EPERM[0]])
  plan.place(end)
}
