/**
 * sd_notify(3) of a container: a directory of the runtime directory is mounted into it, start listens on a socket there
 * and tells the service manager, on the socket of its own NOTIFY_SOCKET, that the container is ready. Nothing that the
 * container sends reaches the service manager as it is (`readyMessage`).
 */

import { encode } from '@crio-lxc/core/abi/bytes'
import { O_PATH } from '@crio-lxc/core/abi/constants'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { log } from '@crio-lxc/core/host/log/logger'
import { openProcess } from '@crio-lxc/core/host/process/pidfd'
import { NOTIFY_MESSAGE_MAX, readyMessage } from '@crio-lxc/core/oci/notify-message'
import { close, type Fd, pipe, pollAsync, write } from '@crio-lxc/core/sys/fd'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { O_DIRECTORY, openFile, removeFile } from '@crio-lxc/core/sys/files'
import { setUmask } from '@crio-lxc/core/sys/program'
import { receiveDatagram } from '@crio-lxc/core/sys/unix-datagram'
import { sendFd } from '@crio-lxc/core/sys/unix-message'
import { bindDatagram, connectDatagram } from '@crio-lxc/core/sys/unix-socket'
import type { Container } from '../container/load-container.ts'
import { checkNotifySocket, DIRECTORY, SOCKET } from './notify-mount.ts'

/** How long the service manager may take to read what it was sent. */
const BARRIER_MS = 30_000
/** So many datagrams are read as they come; who sends more has to wait after each look, and costs no more than that. */
const AT_ONCE = 64
const REST_MS = 20
/** More than a socket holds (net.unix.max_dgram_qlen), which is all that a container can have left. */
const QUEUE_MOST = 1024

interface Descriptors {
  /** O_PATH, of the directory. */
  readonly directory: Fd
  /** Receives from the container. */
  readonly container: Fd
  /** Sends to the service manager. */
  readonly manager: Fd
  /** Of init. */
  readonly pidfd: Fd
}

/** The listener of a container that is about to be started. */
export class NotifySocket {
  private constructor(
    readonly host: string,
    readonly pid: number,
    readonly fds: Descriptors,
  ) {}

  /**
   * Listens; undefined for a container that was created without NOTIFY_SOCKET, or has ended. When nobody listens on `host`
   * it throws RuntimeError, and nothing is started, or with `optional` warns and is undefined.
   */
  static open({ info, init }: Container, host: string, { optional }: { optional: boolean }): NotifySocket | undefined {
    checkNotifySocket(host)
    if (!init) return undefined
    const directory = openDirectory(info)
    if (directory === undefined) return undefined
    return withFds((fds) => {
      fds.keep(directory)
      const pidfd = openProcess(init.init)
      if (pidfd === undefined) return undefined
      fds.keep(pidfd)
      const manager = connectManager(host, { optional })
      if (manager === undefined) return undefined
      fds.keep(manager)
      const container = bindSocket(directory)
      // From here on they are its own.
      for (const fd of [directory, pidfd, manager]) fds.release(fd)
      return new NotifySocket(host, init.init.pid, { directory, container, manager, pidfd })
    })
  }

  /**
   * Waits, as runc does without a limit, until the container is ready or its init has ended, and closes the socket. With
   * `mainPid` the service manager is told that init is the service's main process. Throws RuntimeError when it cannot be
   * told.
   */
  async forward({ mainPid }: { readonly mainPid: boolean }): Promise<void> {
    try {
      for (let taken = 0; ; ) {
        const [, ended = 0] = await pollAsync([this.fds.container, this.fds.pidfd])
        const { message, count } = this.#nextReady(mainPid ? this.pid : undefined, ended ? QUEUE_MOST : AT_ONCE)
        if (message !== undefined) return await this.#tell(message)
        if (ended) return
        taken += count
        if (taken > AT_ONCE) await pollAsync([], REST_MS)
      }
    } finally {
      this.close()
    }
  }

  /** Reads what has come so far, at most `most` datagrams, until one says that the container is ready. */
  #nextReady(mainPid: number | undefined, most: number): { readonly message?: string; readonly count: number } {
    let count = 0
    for (; count < most; count++) {
      // One byte more, so that one that is too long is seen.
      const datagram = receiveDatagram(this.fds.container, NOTIFY_MESSAGE_MAX + 1)
      if (!datagram) break
      const message = readyMessage(datagram, mainPid)
      if (message !== undefined) return { message, count }
    }
    return { count }
  }

  /** sd_notify_barrier(3): a sender that ends before its message is read belongs to no service any more. */
  async #tell(message: string): Promise<void> {
    const [readEnd, writeEnd] = pipe()
    try {
      try {
        write(this.fds.manager, message)
        sendFd(this.fds.manager, encode('BARRIER=1'), writeEnd, BARRIER_MS)
      } finally {
        close(writeEnd)
      }
      const [closed = 0] = await pollAsync([readEnd], BARRIER_MS)
      if (!closed) log.warn(`wait until ${this.host} has read READY=1: it took longer than ${BARRIER_MS} ms`)
    } catch (cause) {
      throw new RuntimeError('io', `send READY=1 to NOTIFY_SOCKET ${this.host}: ${messageOf(cause)}`, { cause })
    } finally {
      close(readEnd)
    }
  }

  close(): void {
    removeFile(`/proc/self/fd/${this.fds.directory}/${SOCKET}`)
    for (const fd of Object.values(this.fds)) close(fd)
  }
}

function openDirectory(info: ContainerInfo): Fd | undefined {
  try {
    return openFile(info.runtimePath(DIRECTORY), O_PATH | O_DIRECTORY)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function connectManager(host: string, { optional }: { optional: boolean }): Fd | undefined {
  try {
    return connectDatagram(host, { timeoutMs: BARRIER_MS })
  } catch (cause) {
    const problem = `connect to NOTIFY_SOCKET ${host}: ${reasonOf(cause)}: unset it, or start its listener first`
    if (!optional) throw new RuntimeError('io', problem, { cause })
    log.warn(problem, { c: 'notify' })
    return undefined
  }
}

/** By way of the directory's fd, whose name is short. A socket that is there is that of a start that was killed. */
function bindSocket(directory: number): Fd {
  const path = `/proc/self/fd/${directory}/${SOCKET}`
  removeFile(path)
  // Every user of the container may send. Afterwards the mode could not be changed without following a name.
  const umask = setUmask(0)
  try {
    return bindDatagram(path)
  } finally {
    setUmask(umask)
  }
}
