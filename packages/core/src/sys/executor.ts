import { AT_FDCWD, MOUNT_ATTR_RDONLY, MS_PRIVATE } from '../abi/constants.ts'
import { close } from './fd.ts'
import { cloneTree, mountSetattr } from './mount.ts'
import { spawn } from './spawn.ts'

export interface ExecutorOptions {
  /** crio-lxc-init. */
  readonly path: string
  /** The plan, one of `fds`. */
  readonly plan: number
  /** Descriptors that it gets under the same numbers. */
  readonly fds: readonly number[]
}

/**
 * Starts crio-lxc-init with a plan. It runs from a read-only mount that is attached nowhere, because whoever is in the
 * container may get hold of its file: an image whose executable is `#!/proc/self/exe` makes the process one that can be
 * traced (CVE-2019-5736). Returns the pid.
 */
export function spawnExecutor({ path, plan, fds }: ExecutorOptions): number {
  const file = cloneTree(AT_FDCWD, path, { recursive: false })
  try {
    mountSetattr(file, { set: MOUNT_ATTR_RDONLY, propagation: MS_PRIVATE })
    return spawn({
      path: `/proc/self/fd/${file}`,
      name: path,
      args: ['crio-lxc-init', String(plan)],
      env: [],
      fds: [...fds, plan],
    })
  } finally {
    close(file)
  }
}
