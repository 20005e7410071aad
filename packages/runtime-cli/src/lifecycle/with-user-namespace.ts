import { closeSync } from 'node:fs'
import type { Arch } from '@crio-lxc/core/abi/arch'
import { errnoSentence } from '@crio-lxc/core/abi/errno'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { compile } from '@crio-lxc/core/plan/compile'
import { readRecord } from '@crio-lxc/core/process/plan-record'
import { spawnExecutor } from '@crio-lxc/core/sys/executor'
import { memfdCreate, pipe } from '@crio-lxc/core/sys/libc'
import { wait } from '@crio-lxc/core/sys/spawn'
import { writeAll } from '@crio-lxc/core/sys/write-all'
import { planUserNamespace } from '@crio-lxc/init/user-namespace-plan'

export interface UserNamespaceProcess {
  readonly arch: Arch
  /** Path of crio-lxc-init. */
  readonly init: string
  readonly timeoutMs: number
}

/**
 * What `use` makes of a process in a user namespace, new or `joined` (an fd of its file). The process has ended and is reaped
 * afterwards, also when this throws RuntimeError.
 */
export function withUserNamespace<Result>(
  { arch, init, timeoutMs }: UserNamespaceProcess,
  joined: number | undefined,
  use: (pid: number) => Result,
): Result {
  const what = joined === undefined ? 'make a user namespace' : 'join the user namespace'
  const own: number[] = []
  const given: number[] = []
  let child: number | undefined
  try {
    const [reportRead, report] = pipe()
    own.push(reportRead)
    given.push(report)
    const [hold, holdWrite] = pipe()
    own.push(holdWrite)
    given.push(hold)
    const plan = memfdCreate('plan')
    given.push(plan)
    writeAll(plan, compile(planUserNamespace({ arch, joined, report, hold }), report))
    child = spawnExecutor({ path: init, plan, fds: [report, hold, ...(joined === undefined ? [] : [joined])] })
    // Only the child may hold these: end of file is how either side learns that the other is gone.
    for (const fd of given.splice(0)) closeSync(fd)
    const record = readRecord(reportRead, { timeoutMs, what })
    if (record.kind === 'failure') throw new RuntimeError('io', `${what}: ${errnoSentence(record.errno)}`)
    if (record.kind !== 'ready') throw new RuntimeError('io', `${what}: the process that was to do it ended`)
    return use(child)
  } finally {
    for (const fd of [...own, ...given]) closeSync(fd)
    if (child !== undefined) {
      process.kill(child, 'SIGKILL')
      wait(child)
    }
  }
}
