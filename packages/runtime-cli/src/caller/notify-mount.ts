/** What a container that is to say when it is ready finds: the directory of its socket, mounted, and NOTIFY_SOCKET. */
import { encode } from '@crio-lxc/core/abi/bytes'
import {
  AT_FDCWD,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
} from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { makeDirectory } from '@crio-lxc/core/sys/files'
import { mountSetattr, newMount, privateTree } from '@crio-lxc/core/sys/mount'
import { SOCKET_NAME_MAX } from '@crio-lxc/core/sys/unix-socket'
import type { Sources } from '../sources/plan/open-sources.ts'

/** Below the runtime directory; and the socket in it. */
export const DIRECTORY = 'notify'
export const SOCKET = 'notify.sock'
/** Where the container finds them, as with runc. */
const DESTINATION = '/run/notify'
const ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
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
