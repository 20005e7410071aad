/** root.path, as a detached mount. */
import { AT_FDCWD, MS_PRIVATE, MS_REC, MS_SLAVE, O_PATH, RESOLVE_NO_SYMLINKS } from '@crio-lxc/core/abi/constants'
import { resolvePath } from '@crio-lxc/core/abi/path'
import { lastClauseOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { type FdScope, withFds } from '@crio-lxc/core/sys/fd-scope'
import { fstat, openFile } from '@crio-lxc/core/sys/files'
import { cloneTree, mountSetattr, openat2 } from '@crio-lxc/core/sys/mount'
import { parsePropagation } from '@crio-lxc/init/mount-options'

/** Of a clone: private, or a slave where the spec wants events. */
export function rootfsPropagation({ linux }: Spec): number {
  const asked = parsePropagation(linux?.rootfsPropagation ?? '') & ~MS_REC
  return asked !== 0 && asked !== MS_PRIVATE ? MS_SLAVE : MS_PRIVATE
}

/**
 * As runc, which refuses every symlink below the bundle: who could exchange one would choose another root. The clone of a
 * shared mount stays its peer until it gets another propagation.
 */
export function openRootfs(spec: Spec, bundle: string, fds: FdScope): number {
  const { path } = spec.root
  const propagation = rootfsPropagation(spec)
  let fd: number
  try {
    fd = withFds((opened) => {
      const from = path.startsWith('/') ? AT_FDCWD : opened.keep(openFile(bundle, O_PATH))
      const found = opened.keep(openat2(from, path, { flags: O_PATH, resolve: RESOLVE_NO_SYMLINKS }))
      return fds.keep(cloneTree(found, '', { recursive: true }))
    })
  } catch (cause) {
    throw new SpecError('root.path', `open ${resolvePath(bundle, path)}: ${lastClauseOf(cause)}${adviceFor(cause)}`)
  }
  mountSetattr(fd, { propagation, recursive: true })
  if (!fstat(fd).isDirectory()) throw new SpecError('root.path', `${path} is not a directory`)
  return fd
}

function adviceFor(cause: unknown): string {
  const name = cause instanceof SyscallError ? cause.errnoName : ''
  if (name === 'ENOENT') return ': unpack the image there; a relative path begins at the bundle'
  return name === 'ELOOP' ? ': it is a symbolic link, or lies behind one: give the path that it leads to' : ''
}
