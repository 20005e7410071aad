/**
 * The agent's side of SCMP_ACT_NOTIFY (config-linux.md, "The Container Process State"). The process has loaded its
 * filter and reports the number of the listener; the fd is taken out of it from here, because the filter may forbid the
 * process to send anything, and what a system call of it waits for is the agent that has no fd yet.
 */
import { encode } from '@crio-lxc/core/abi/bytes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import type { Seccomp } from '@crio-lxc/core/oci/linux'
import { OCI_VERSION } from '@crio-lxc/core/oci/oci-version'
import type { State } from '@crio-lxc/core/oci/state'
import { close, write } from '@crio-lxc/core/sys/fd'
import { readLink } from '@crio-lxc/core/sys/files'
import { pidfdGetfd } from '@crio-lxc/core/sys/process'
import { sendFd } from '@crio-lxc/core/sys/unix-message'
import { connectUnix } from '@crio-lxc/core/sys/unix-socket'

/** Where the listener goes, and the text that goes with it. */
export interface SeccompAgent {
  /** linux.seccomp.listenerPath */
  readonly path: string
  /** linux.seccomp.listenerMetadata */
  readonly metadata?: string
}

/** Undefined when no system call is notified. */
export function agentOf(seccomp: Seccomp | undefined, notifies: boolean): SeccompAgent | undefined {
  if (!notifies || !seccomp?.listenerPath) return undefined
  const { listenerPath: path, listenerMetadata: metadata } = seccomp
  return { path, ...(metadata !== undefined && { metadata }) }
}

export interface Listening {
  /** The process that has loaded the filter, by pid on the host and pidfd. */
  readonly pid: number
  readonly pidfd: number
  /** Number of the listener in that process. */
  readonly listener: number
  /** State of the container. */
  readonly state: State
  readonly timeoutMs: number
}

/** Connects, sends, closes. Throws RuntimeError when the agent cannot be reached, or does not take it in time. */
export function sendListener({ path, metadata }: SeccompAgent, listening: Listening): void {
  const { pid, pidfd, listener, state, timeoutMs } = listening
  const fd = pidfdGetfd(pidfd, listener)
  try {
    // Whoever can trace the process may have reported another number: the agent must not get its other descriptors.
    if (readLink(`/proc/self/fd/${fd}`) !== 'anon_inode:seccomp notify')
      throw new RuntimeError('io', `fd ${listener} of process ${pid} is no seccomp listener`)
    const socket = connectUnix(path, { timeoutMs })
    try {
      sendFd(socket, encode(JSON.stringify(processState(state, pid, metadata))), fd, timeoutMs)
    } finally {
      close(socket)
    }
  } catch (cause) {
    const problem = `linux.seccomp.listenerPath: send the listener to ${path}: ${reasonOf(cause)}`
    throw new RuntimeError('io', problem, { cause })
  } finally {
    close(fd)
  }
}

/** Lets the process go on. */
export function acknowledgeListener(fd: number): void {
  try {
    write(fd, 'a')
  } catch {
    // It has died meanwhile, which is what the caller waits for next.
  }
}

/** The process has ended, or executed, without a word about its listener. */
export function listenerMissing(what: string): RuntimeError {
  const problem = 'the process could not report its seccomp listener: linux.seccomp must allow write'
  return new RuntimeError('start-failed', `${what}: ${problem}`)
}

/** The container process state; `state` is that of runtime.md, without what runc adds to it. */
function processState(
  { ociVersion, id, status, pid: init, bundle, annotations }: State,
  pid: number,
  metadata?: string,
) {
  return {
    ociVersion: OCI_VERSION,
    fds: ['seccompFd'],
    pid,
    ...(metadata !== undefined && { metadata }),
    state: { ociVersion, id, status, pid: init, bundle, ...(annotations && { annotations }) },
  }
}
