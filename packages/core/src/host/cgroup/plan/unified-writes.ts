/** linux.resources.unified as writes: files of cgroup v2, as they are. PURE. */
import { RuntimeError, SpecError } from '../../../errors/runtime-error.ts'
import { fieldOf } from '../../../oci/field-path.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { controllerIn, type PresentCgroup } from './controller.ts'

/**
 * What limits a cgroup among the files that every one has. The others take pids of the host, end or freeze processes, or
 * make it a cgroup that the container cannot join.
 */
const coreLimits = new Set(['cgroup.max.depth', 'cgroup.max.descendants', 'cgroup.pressure'])

/** Throws RuntimeError `cgroup` when the host has no cgroup v2, or not the controller of a file in it. */
export function planUnified(unified: Readonly<Record<string, string>>, cgroup: PresentCgroup): CgroupWrite[] {
  return Object.entries(unified).map(([file, value]) => {
    const field = fieldOf('linux.resources.unified', file)
    const [controller = ''] = file.split('.', 1)
    if (!/^\w+\.[\w.-]+$/.test(file))
      throw new SpecError(field, `must be the name of a file of cgroup v2 like "memory.high"`)
    if (controller === 'cgroup' && !coreLimits.has(file))
      throw new SpecError(field, 'is about processes and no limit: remove it')
    // The kernel reads up to the first NUL, and most files take nothing for a number of their own.
    if (value.trim() === '' || value.includes('\0'))
      throw new SpecError(field, `must be what the file is to hold, got ${JSON.stringify(value)}`)
    const hierarchy = cgroup.layout.hierarchies.find(({ version }) => version === 2)
    if (!hierarchy)
      throw new RuntimeError('cgroup', `${field}: invalid configuration: the host has no cgroup v2: remove the field`)
    if (controller === 'cgroup') return { hierarchy, file, value, field }
    if (!hierarchy.controllers.includes(controller))
      throw new RuntimeError(
        'cgroup',
        `${field}: invalid configuration: the host has no ${controller} controller in cgroup v2: remove the field`,
      )
    return controllerIn(cgroup, hierarchy, controller).write(field, file, value)
  })
}
