/** Where a controller's files are, for the planners of this directory. PURE. */
import { RuntimeError } from '../../../errors/runtime-error.ts'
import type { CgroupLayout, Hierarchy } from './cgroup-layout.ts'
import type { CgroupWrite } from './cgroup-write.ts'

/** The cgroup that limits are planned for: what it has now decides the order of some writes. */
export interface PresentCgroup {
  readonly layout: CgroupLayout
  /** The text of a file, trimmed; undefined when the cgroup or the file does not exist yet. */
  readonly read: (hierarchy: Hierarchy, file: string) => string | undefined
}

/** A controller of the host, as the planners see it. */
export interface Controller {
  readonly version: 1 | 2
  readonly write: (field: string, file: string, value: string | number | bigint) => CgroupWrite
  readonly read: (file: string) => string | undefined
}

export function hasController({ layout }: PresentCgroup, name: string): boolean {
  return layout.hierarchies.some(({ controllers }) => controllers.includes(name))
}

/** Throws RuntimeError `cgroup`, which names the field and the controller, when the host does not have it. */
export function findController(cgroup: PresentCgroup, name: string, field: string): Controller {
  const hierarchy = cgroup.layout.hierarchies.find(({ controllers }) => controllers.includes(name))
  if (!hierarchy) throw new RuntimeError('cgroup', `${field}: the host has no ${name} controller: remove the field`)
  return controllerIn(cgroup, hierarchy, name)
}

export function controllerIn({ read }: PresentCgroup, hierarchy: Hierarchy, name: string): Controller {
  const handedDown = hierarchy.version === 2 ? { controller: name } : {}
  return {
    version: hierarchy.version,
    write: (field, file, value) => ({ hierarchy, file, value: String(value), field, ...handedDown }),
    read: (file) => read(hierarchy, file),
  }
}

/** The error of a field that one version of cgroups has no file for. */
export function notInVersion(field: string, { version }: Pick<Controller, 'version'>, name: string): RuntimeError {
  return new RuntimeError(
    'cgroup',
    `${field}: the ${name} controller of cgroup v${version} has no such limit: remove the field`,
  )
}

/** A number from a file; `max` and -1 are no limit: undefined, as is a file that does not exist. */
export function presentLimit(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined
}
