/** linux.resources.unified as writes: files of cgroup v2, as they are. PURE. */
import { RuntimeError, SpecError } from '../../errors/runtime-error.ts'
import { fieldOf } from '../../oci/field-path.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { controllerIn, type PresentCgroup } from './controller.ts'

/** They take pids of the host, or end processes: what is named here would do so for whoever wrote config.json. */
const notLimits = new Set(['cgroup.procs', 'cgroup.threads', 'cgroup.kill'])

/** Throws RuntimeError `cgroup` when the host has no cgroup v2, or not the controller of a file in it. */
export function planUnified(unified: Readonly<Record<string, string>>, cgroup: PresentCgroup): CgroupWrite[] {
  return Object.entries(unified).map(([file, value]) => {
    const field = fieldOf('linux.resources.unified', file)
    const [controller = ''] = file.split('.', 1)
    if (!/^\w+\.[\w.-]+$/.test(file))
      throw new SpecError(field, `must be the name of a file of cgroup v2 like "memory.high"`)
    if (notLimits.has(file)) throw new SpecError(field, 'is about processes and no limit: remove it')
    const hierarchy = cgroup.layout.hierarchies.find(({ version }) => version === 2)
    if (!hierarchy) throw new RuntimeError('cgroup', `${field}: the host has no cgroup v2: remove the field`)
    if (controller === 'cgroup') return { hierarchy, file, value, field }
    if (!hierarchy.controllers.includes(controller))
      throw new RuntimeError(
        'cgroup',
        `${field}: the host has no ${controller} controller in cgroup v2: remove the field`,
      )
    return controllerIn(cgroup, hierarchy, controller).write(field, file, value)
  })
}
