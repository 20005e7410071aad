import type { Arch } from '@crio-lxc/core/abi/arch'
import { errnoSentence } from '@crio-lxc/core/abi/errno'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { close, pipe } from '@crio-lxc/core/sys/fd'
import { planUserNamespace } from '@crio-lxc/init/user-namespace-plan'
import { withPlanProcess } from '../plan-process/plan-process.ts'

export interface UserNamespaceProcess {
  readonly arch: Arch
  /** Path of crio-lxc-init. */
  readonly executor: string
  readonly timeoutMs: number
}

/**
 * What `use` makes of a process in a user namespace, new or `joined` (an fd of its file). The process has ended and is reaped
 * afterwards, also when this throws RuntimeError.
 */
export function withUserNamespace<Result>(
  { arch, executor, timeoutMs }: UserNamespaceProcess,
  joined: number | undefined,
  use: (pid: number) => Result,
): Result {
  const what = joined === undefined ? 'make a user namespace' : 'join the user namespace'
  const [hold, holdWrite] = pipe()
  try {
    const fds = [hold, ...(joined === undefined ? [] : [joined])]
    const plan = (report: number) => planUserNamespace({ arch, joined, report, hold })
    return withPlanProcess({ executor, timeoutMs, what, fds, plan }, (record, { pid }) => {
      if (record?.kind === 'failure') throw new RuntimeError('io', `${what}: ${errnoSentence(record.errno)}`)
      if (record?.kind !== 'ready') throw new RuntimeError('io', `${what}: the process that was to do it ended`)
      return use(pid)
    })
  } finally {
    close(hold)
    close(holdWrite)
  }
}
