/** The process of exec, from its launch to its program. */
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import { close } from '@crio-lxc/core/sys/fd'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { sendPidfd } from '../caller/caller-socket.ts'
import { acknowledgeListener, sendListener } from '../caller/seccomp-listener.ts'
import { fixStdio } from '../caller/stdio.ts'
import { stateOf } from '../container/container-state.ts'
import { hostArch } from '../installation/host-arch.ts'
import { programsOf } from '../installation/programs.ts'
import { awaitExecution, type Entering } from './await-execution.ts'
import type { Exec, OpenedExec } from './open.ts'
import { planExecTask } from './plan/exec-task.ts'
import { sayWhyRefused } from './refused-execution.ts'

export interface LaunchedExec {
  readonly executor: ExecutorProcess
  /** Path of crio-lxc-init, which it runs. */
  readonly path: string
}

export function launch(opened: OpenedExec, { fds, trace }: Exec): LaunchedExec {
  const { request, report, console, acknowledge, entry, inputs, root, userNamespace } = opened
  const { settings, process, spec, preserved } = request
  const { forks, ...task } = planExecTask({
    arch: hostArch(),
    process: inputs,
    entry,
    fds: { report: report.writeEnd, console, acknowledge: acknowledge?.readEnd },
    preserved,
    traced: trace !== undefined,
  })
  fixStdio(process.user, { namespace: userNamespace, label: spec.linux?.mountLabel, root })
  const { executor: path } = programsOf(settings)
  const { readEnd, writeEnd } = report
  const executor = ExecutorProcess.launchInto({ executor: path, forks }, task, {
    report: readEnd,
    reportWrite: writeEnd,
  })
  // Only the process may hold it: end of file is how its end is seen.
  close(fds.release(writeEnd))
  return { executor, path }
}

/** Returns the pid of the process, which is this process's child, when its program has been executed. */
export function awaitProgram(opened: OpenedExec, launched: LaunchedExec, exec: Exec): number {
  const { request, init, timeoutMs } = opened
  const { executor } = launched
  const executed = awaitExecution({
    executor,
    init,
    timeoutMs,
    command: request.process.args[0] ?? '',
    trace: exec.trace,
    ...whatFollows(opened, launched, exec),
  })
  if (executed) return executor.pid
  const { containerId } = request.container.info
  throw new RuntimeError('exec-failed', `${phrase.notRunning}: ${containerId}: it ended while it was entered`)
}

/** What is done at what the process reports. */
function whatFollows(
  { request, timeoutMs, pidfdSocket, inputs, agent, acknowledge }: OpenedExec,
  { path }: LaunchedExec,
  { fds, proxy }: Exec,
): Pick<Entering, 'onArrived' | 'onRefused' | 'onListener'> {
  const { container, process, settings } = request
  const { startMs } = settings.timeouts
  return {
    onArrived(pid) {
      proxy?.connect(timeoutMs ?? -1)
      if (pidfdSocket !== undefined) sendPidfd(pidfdSocket, pid, { word: 'setns', timeoutMs: startMs })
    },
    onRefused(pid, errno) {
      const pidfd = fds.keep(pidfdOpen(pid))
      const { args, cwd } = process
      sayWhyRefused({ pid, pidfd, errno, command: args[0] ?? '', candidates: inputs.candidates, cwd, executor: path })
    },
    onListener:
      agent &&
      ((pid, listener) => {
        const pidfd = fds.keep(pidfdOpen(pid))
        sendListener(agent, { pid, pidfd, listener, state: stateOf(container), timeoutMs: startMs })
        if (acknowledge) acknowledgeListener(acknowledge.writeEnd)
      }),
  }
}
