/**
 * A cgroup that has no processes may be taken over, as by runc, while the container that it was made for is stopped and not
 * deleted yet: what is in it then is not that container's. So create leaves on it whose it is.
 */
import { decode, encode } from '../../abi/bytes.ts'
import { errnoTable } from '../../abi/errno.ts'
import { attempt, checked } from '../../sys/syscall.ts'
import { type CgroupLayout, membershipHierarchy } from './plan/cgroup-layout.ts'

/** `trusted`, so that nobody whom the cgroup was delegated to can say whose it is; xattr(7). */
const ATTRIBUTE = 'trusted.crio-lxc'

/** The errnos of a kernel that has no such attributes of cgroups, and of a runtime that is no root of the host's. */
const unmarkable = [errnoTable.EOPNOTSUPP, errnoTable.EPERM, errnoTable.EACCES].map(([number]) => -number)

/** More than an absolute path and three numbers take. */
const MARK_BYTES = 8192

/** The errnos of a cgroup that has no mark, or is gone, and of a path that no cgroup can have. */
const { ENODATA, ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP } = errnoTable
const unmarked = [...unmarkable, ...[ENODATA, ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP].map(([number]) => -number)]

/** Says of the cgroup that it is `owner`'s. False where the kernel does not let that be said. Throws SyscallError. */
export function markCgroup(layout: CgroupLayout, path: string, owner: string): boolean {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return false
  const directory = hierarchy.mountPoint + path
  const mark = encode(owner)
  const result = attempt('setxattr', directory, ATTRIBUTE, mark, mark.length, 0)
  if (unmarkable.includes(result)) return false
  checked(result, () => `setxattr(${directory}, ${ATTRIBUTE})`)
  return true
}

/**
 * Whose the cgroup says that it is; undefined when it does not, or is gone. Throws SyscallError when that cannot be told: who takes
 * it for one that says nothing ends what is another's.
 */
export function readMark(layout: CgroupLayout, path: string): string | undefined {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return undefined
  const directory = hierarchy.mountPoint + path
  const value = new Uint8Array(MARK_BYTES)
  const length = attempt('getxattr', directory, ATTRIBUTE, value, MARK_BYTES)
  if (unmarked.includes(length)) return undefined
  // None of ours is so long.
  if (length === -errnoTable.ERANGE[0]) return ''
  return decode(
    value.subarray(
      0,
      checked(length, () => `getxattr(${directory}, ${ATTRIBUTE})`),
    ),
  )
}
