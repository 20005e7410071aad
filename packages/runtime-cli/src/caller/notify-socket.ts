/**
 * sd_notify(3) of a container: a directory of the runtime directory is mounted into it, start listens on a socket there
 * and tells the service manager, on the socket of its own NOTIFY_SOCKET, that the container is ready. Nothing that the
 * container sends reaches the service manager as it is (`readyMessage`).
 */

import { encode } from '@crio-lxc/core/abi/bytes'
import {
  AT_FDCWD,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  O_PATH,
} from '@crio-lxc/core/abi/constants'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { log } from '@crio-lxc/core/host/log/logger'
import { openProcess } from '@crio-lxc/core/host/process/pidfd'
import { NOTIFY_MESSAGE_MAX, readyMessage } from '@crio-lxc/core/oci/notify-message'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { close, type Fd, pipe, pollAsync, write } from '@crio-lxc/core/sys/fd'
import { type FdScope, withFds } from '@crio-lxc/core/sys/fd-scope'
import { makeDirectory, O_DIRECTORY, openFile, removeFile } from '@crio-lxc/core/sys/files'
import { mountSetattr, newMount, privateTree } from '@crio-lxc/core/sys/mount'
import { setUmask } from '@crio-lxc/core/sys/program'
import { receiveDatagram } from '@crio-lxc/core/sys/unix-datagram'
import { sendFd } from '@crio-lxc/core/sys/unix-message'
import { bindDatagram, connectDatagram, SOCKET_NAME_MAX } from '@crio-lxc/core/sys/unix-socket'
import type { Container } from '../container/load-container.ts'
import type { Sources } from '../sources/plan/open-sources.ts'

/** Below the runtime directory; and the socket in it. */
const DIRECTORY = 'notify'
const SOCKET = 'notify.sock'
/** Where the container finds them, as with runc. */
const DESTINATION = '/run/notify'
const ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
/** How long the service manager may take to read what it was sent. */
const BARRIER_MS = 30_000
/** So many datagrams are read as they come; who sends more has to wait after each look, and costs no more than that. */
const AT_ONCE = 64
const REST_MS = 20
/** More than a socket holds (net.unix.max_dgram_qlen), which is all that a container can have left. */
const QUEUE_MOST = 1024
/** Of a path without its NUL, bytes. */
const PATH_MAX = 4095

/** The value of NOTIFY_SOCKET, which sd_notify(3) takes as a path or as an abstract name. */
export function checkNotifySocket(socket: string): void {
  const most = socket.startsWith('@') ? SOCKET_NAME_MAX : PATH_MAX
  if (/^[/@][^\0]+$/.test(socket) && encode(socket).length <= most) return
  throw new RuntimeError(
    'usage',
    `NOTIFY_SOCKET must be the absolute path of a socket or "@" and its abstract name, of at most ${most} bytes, got ${JSON.stringify(socket)}: unset it`,
  )
}

/** The spec of a container that notifies: its last mount is `source`, which is where the socket will be. */
export function withNotifySocket(spec: Spec, runtimeDirectory: string): Spec {
  const { mounts = [], process } = spec
  return {
    ...spec,
    mounts: [...mounts, { destination: DESTINATION, type: 'bind', source: `${runtimeDirectory}/${DIRECTORY}` }],
    process: { ...process, env: [...(process.env ?? []), `NOTIFY_SOCKET=${DESTINATION}/${SOCKET}`] },
  }
}

/** What that mount shows is made: a directory that everybody may enter, and nobody in the container may write to. */
export function addNotifySocket(inputs: Notifying, info: ContainerInfo, fds: FdScope): Sources {
  const source = info.runtimePath(DIRECTORY)
  makeDirectory(source, 0o755)
  const fd = fds.keep(privateTree(AT_FDCWD, source, { recursive: false }))
  mountSetattr(fd, { set: ATTRIBUTES })
  return withMount(inputs, fd)
}

/** The same for `debug plan`, with an empty filesystem in the place of the directory, which is not made. */
export function previewNotifySocket(inputs: Notifying, fds: FdScope): Sources {
  const fd = fds.keep(newMount({ type: 'tmpfs', source: 'preview', parameters: [], attributes: ATTRIBUTES }))
  return withMount(inputs, fd)
}

/** What create has opened for a container whose spec is withNotifySocket's. */
interface Notifying {
  readonly spec: { readonly mounts: readonly unknown[] }
  readonly sources: Sources
}

function withMount({ spec, sources }: Notifying, fd: number): Sources {
  const detached = { fd, directory: true }
  return {
    ...sources,
    mounts: new Map([...sources.mounts, [spec.mounts.length - 1, detached]]),
    // Those are empty without a user namespace.
    staged: sources.staged.length > 0 ? [...sources.staged, { ...detached, propagation: [MS_PRIVATE] }] : [],
  }
}

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
