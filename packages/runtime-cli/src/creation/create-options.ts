import type { Console } from '@crio-lxc/init/steps/terminal'
import type { LoadedSpec } from '../documents/load-spec.ts'

export interface CreateOptions {
  readonly id: string
  /** Absolute path. */
  readonly bundle: string
  /** Its config.json, when it has been read already. */
  readonly loaded?: LoadedSpec
  readonly pidFile?: string
  readonly consoleSocket?: string
  /** Of the runtime's own, instead of consoleSocket. */
  readonly console?: Console
  /** Changes nothing: what it is for, a rootfs on a ramdisk, works because the pivot happens inside the stage. */
  readonly noPivot?: boolean
  readonly noNewKeyring?: boolean
  readonly preserveFds?: number
  /** Sockets of sd_listen_fds(3) among the caller's fds, before those of preserveFds. */
  readonly listenFds?: number
  /** Path of the unix socket that takes a pidfd of init. */
  readonly pidfdSocket?: string
  /** The caller's NOTIFY_SOCKET, if it is not empty: the container gets one of its own, on which start listens. */
  readonly notifySocket?: string | undefined
}
