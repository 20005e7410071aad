import { sendPidfd } from '../caller/caller-socket.ts'
import { identifyMessage } from '../caller/termination-message.ts'
import { messageOf } from './await-container.ts'
import type { Filled } from './fill.ts'
import type { Creation } from './occupy.ts'
import { publishInit } from './publish-init.ts'

/** Nothing may fail any more once the pid file is there, so it comes last. */
export function publish(filled: Filled, { done }: Creation): void {
  const { request, info, inputs, cgroup, monitor, plan, seccompAgent, pidfdSocket } = filled
  const { settings, spec } = request
  const timeoutMs = settings.timeouts.createMs
  if (pidfdSocket !== undefined) sendPidfd(pidfdSocket, monitor.initPid(), { word: 'standard', timeoutMs })
  const resident = settings.monitorMode === 'resident' ? cgroup.manager : undefined
  const message = messageOf(filled)
  const pid = publishInit(info, {
    monitor,
    spec,
    unprivileged: inputs.userNamespace !== undefined,
    plan,
    seccompAgent,
    message: message && identifyMessage(message.fd, message.path),
    resident,
    withoutCgroup: settings.withoutCgroup,
    cgroupMark: filled.cgroupMark,
  })
  filled.seccomp?.remember()
  done('publish', `init is pid ${pid}, the monitor ${resident ? 'stays' : 'has ended'}`, { pid })
}
