/** linux.resources.network as writes: net_cls.rst and net_prio.rst, controllers that only cgroup v1 has. PURE. */
import { itemOf } from '../../../oci/field-path.ts'
import type { NetworkResources } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { findController, type PresentCgroup } from './controller.ts'

const POINTER = 'linux.resources.network'

/** Throws RuntimeError `cgroup`. */
export function planNetwork({ classID, priorities = [] }: NetworkResources, cgroup: PresentCgroup): CgroupWrite[] {
  const setClass = classID
    ? [findController(cgroup, 'net_cls', `${POINTER}.classID`).write(`${POINTER}.classID`, 'net_cls.classid', classID)]
    : []
  return [
    ...setClass,
    ...priorities.map(({ name, priority }, index) => {
      const field = itemOf(`${POINTER}.priorities`, index)
      return findController(cgroup, 'net_prio', field).write(field, 'net_prio.ifpriomap', `${name} ${priority}`)
    }),
  ]
}
