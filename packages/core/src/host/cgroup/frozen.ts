/** Whether a cgroup is frozen: freezer-subsystem.rst of cgroup v1, cgroup-v2.rst "cgroup.freeze". */

import { codeOf } from '../../errors/system-error.ts'
import { readText } from '../../sys/files.ts'
import { readLineIfThere } from '../../sys/if-there.ts'
import { ancestors, type CgroupLayout, MOUNT_POINT } from './plan/cgroup-layout.ts'

/** Where a freezer can be, the v1 controller first: without a look at the whole layout, for the status of a container. */
const requests = [
  (path: string) => `${MOUNT_POINT}/freezer${path}/freezer.self_freezing`,
  (path: string) => `${MOUNT_POINT}${path}/cgroup.freeze`,
  (path: string) => `${MOUNT_POINT}/unified${path}/cgroup.freeze`,
]

/** Somebody has asked for this cgroup, and not only for one above it, to be frozen. */
export function isFrozen(path: string): boolean {
  for (const request of requests) {
    try {
      // Not there: another kind of host, or the cgroup is gone.
      const text = readLineIfThere(request(path))
      if (text !== undefined) return text.startsWith('1')
    } catch {
      // It has gone meanwhile.
    }
  }
  return false
}

/** The directory of the nearest cgroup above `path` that is frozen, and so keeps still whatever is in it. */
export function frozenAbove({ hierarchies }: CgroupLayout, path: string): string | undefined {
  for (const { version, controllers, mountPoint } of hierarchies) {
    const file = version === 2 ? 'cgroup.freeze' : controllers.includes('freezer') ? 'freezer.self_freezing' : undefined
    if (file === undefined) continue
    // The root cannot be frozen.
    const [, ...below] = ancestors(mountPoint, path)
    const found = below.findLast((directory) => saysOne(`${directory}/${file}`))
    if (found !== undefined) return found
  }
  return undefined
}

/** False when there is no such file: kernels before 5.2 have no freezer of v2. */
function saysOne(file: string): boolean {
  try {
    return readText(file).startsWith('1')
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}
