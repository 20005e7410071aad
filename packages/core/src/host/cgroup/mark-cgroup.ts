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

/** Says of the cgroup that it is `owner`'s, where the kernel lets that be said. Throws SyscallError. */
export function markCgroup(layout: CgroupLayout, path: string, owner: string): void {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return
  const directory = hierarchy.mountPoint + path
  const mark = encode(owner)
  const result = attempt('setxattr', directory, ATTRIBUTE, mark, mark.length, 0)
  if (!unmarkable.includes(result)) checked(result, () => `setxattr(${directory}, ${ATTRIBUTE})`)
}

/** Whether the cgroup says that it is somebody's who is not `owner`; one that says nothing, or is gone, does not. */
export function isMarkedByAnother(layout: CgroupLayout, path: string, owner: string): boolean {
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return false
  const value = new Uint8Array(MARK_BYTES)
  const length = attempt('getxattr', hierarchy.mountPoint + path, ATTRIBUTE, value, MARK_BYTES)
  return length >= 0 && decode(value.subarray(0, length)) !== owner
}
