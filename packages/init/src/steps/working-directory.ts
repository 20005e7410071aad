/** process.cwd. */
import { O_PATH } from '@crio-lxc/core/abi/constants'
import type { Errno } from '@crio-lxc/core/abi/errno'
import { type Arg, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'
import { openInRoot } from '../inside-root.ts'

/** Resolved inside the root and entered by fd, so that a path below /proc/self/fd cannot lead out (CVE-2024-21626). */
export interface Cwd {
  readonly path: string
  readonly root: Arg
  /** Not 0 once the process is there. */
  readonly entered: Slot
}

/** As runc: with the privileges of root first, as the process may have none with which its user could go there. */
export function planEnterCwdAsRoot(plan: Plan, cwd: Cwd): void {
  planEnterCwd(plan, cwd, ['EACCES', 'EPERM'])
}

/** Where root is nobody, as on FUSE and NFS, the user of the process may go. */
export function planEnterCwdAsUser(plan: Plan, cwd: Cwd): void {
  const end = new Label()
  plan.step('see whether process.cwd is entered', 'move', [cwd.entered], { onOk: end, onOkIfNonZero: true })
  planEnterCwd(plan, cwd, [])
  plan.place(end)
}

const GIVE_ONE = 'give a directory that the container has'
const noDirectory = { ENOENT: GIVE_ONE, ENOTDIR: GIVE_ONE }

function planEnterCwd(plan: Plan, { path, root, entered }: Cwd, ignore: readonly Errno[]): void {
  const [directory, close, end] = [plan.slot('process.cwd'), new Label(), new Label()]
  const flags = O_PATH | plan.arch.O_DIRECTORY
  const what = `open process.cwd ${path}`
  openInRoot(plan, { root, path }, { what, flags, result: directory, ignore, onIgnored: end, advice: noDirectory })
  plan.step(`enter process.cwd ${path}`, 'fchdir', [directory], { ignore, onIgnored: close })
  plan.step('remember that process.cwd is entered', 'move', [1], { result: entered })
  plan.place(close)
  plan.step('close process.cwd', 'close', [directory])
  plan.place(end)
}
