/** process.rlimits. */
import type { Errno } from '@crio-lxc/core/abi/errno'
import { rlimitsForSetUp } from '@crio-lxc/core/oci/rlimits'
import type { Rlimit } from '@crio-lxc/core/oci/spec'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { rlimit64, rlimitResource } from '@crio-lxc/core/plan/structs'

/** All of them, with room for the open files of the set-up: their own limit comes last, in planRlimitOfFiles. */
export function planRlimits(plan: Plan, rlimits: readonly Rlimit[]): void {
  for (const rlimit of rlimitsForSetUp(rlimits)) planRlimit(plan, rlimit, rlimit.optional ? ['EPERM'] : [])
}

/** The last of all: until then the set-up may have more of them open. */
export function planRlimitOfFiles(plan: Plan, rlimits: readonly Rlimit[]): void {
  const nofile = rlimits.findLast(({ type }) => type === 'RLIMIT_NOFILE')
  if (nofile) planRlimit(plan, nofile)
}

/** prlimit(2). */
const RAISED = { EPERM: 'lower it, or give the runtime CAP_SYS_RESOURCE' }
/** proc_sys_fs(5). */
const RAISED_FILES = { EPERM: `${RAISED.EPERM}; no limit of files exceeds /proc/sys/fs/nr_open` }

function planRlimit(plan: Plan, { type, soft, hard }: Rlimit, ignore: readonly Errno[] = []): void {
  const limit = rlimit64(plan, soft, hard)
  const advice = type === 'RLIMIT_NOFILE' ? RAISED_FILES : RAISED
  plan.step(`set ${type} of process.rlimits`, 'prlimit64', [0, rlimitResource(type), limit, 0], { ignore, advice })
}
