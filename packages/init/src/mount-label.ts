/**
 * linux.mountLabel: the SELinux context of what lies on the filesystems that are made for the container, as mount(8)'s
 * "context" and as runc chooses them. A bind keeps the labels of the files that it shows.
 */
import { encode } from '@crio-lxc/core/abi/bytes'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'

/** mount(2) reads one page of options, with their NUL, and cuts off what is longer, without an error. */
const MOUNT_DATA_MAX = 4096
/** Their labels come from the policy alone, and steer what of the kernel may be reached. */
const labelledByPolicy = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2'])

/** `context`: an option of the mount; `root`: an attribute of its root, where the kernel has made the filesystem before. */
export function labelling(type: string, label: string): 'none' | 'context' | 'root' {
  if (label === '' || labelledByPolicy.has(type)) return 'none'
  return type === 'mqueue' ? 'root' : 'context'
}

/**
 * The data of mount(2) for a filesystem with this label, which `checkMountLabel` has let pass: in quotes, because the
 * categories of a context are separated as options are, and before quotes that other options may have. Throws SpecError.
 */
export function labelledData(data: string, label: string, pointer: string): string {
  refuseOtherContext(data, pointer)
  const labelled = `context="${label}"${data === '' ? '' : ','}${data}`
  const bytes = encode(labelled).length
  if (bytes < MOUNT_DATA_MAX) return labelled
  throw new SpecError(
    `${pointer}.options`,
    `must be at most ${MOUNT_DATA_MAX - 1} bytes with linux.mountLabel, got ${bytes}`,
  )
}

/** The kernel's own answer to two contexts is EINVAL. */
export function refuseOtherContext(data: string, pointer: string): void {
  const [, other] = /(?:^|,)((?:def)?context)=/.exec(data) ?? []
  if (other === undefined) return
  throw new SpecError(`${pointer}.options`, `"${other}" and linux.mountLabel exclude each other: remove one of them`)
}
