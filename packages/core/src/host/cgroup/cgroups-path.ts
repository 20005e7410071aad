/** Where linux.cgroupsPath puts a container (config-linux.md, "Cgroups Path"). PURE. */
import { SpecError } from '../../errors/runtime-error.ts'
import { defaultScope, parseScope, type Scope } from './plan/scope.ts'

const POINTER = 'linux.cgroupsPath'

export interface CgroupsPathOptions {
  readonly id: string
  /** cgroupsPath has the form slice:prefix:name. */
  readonly systemd: boolean
  /** The container has no cgroup of its own, whatever cgroupsPath says. */
  readonly none?: boolean
}

/** Where a container's cgroup is, and which unit of systemd it is. */
export interface Placement {
  /** Below every hierarchy's mount point, with a leading slash and without dots. */
  readonly path: string
  /** undefined: the cgroup is a directory and nothing else. */
  readonly scope: Scope | undefined
}

/** Where nothing is ever made: whoever looks for the cgroup of a container without one finds nothing. */
const NO_CGROUP = '/crio-lxc:none'

/** A relative path begins at the mount point too: the same place for every caller, whatever cgroup it runs in. */
export function resolveCgroupsPath(
  cgroupsPath: string | undefined,
  { id, systemd, none }: CgroupsPathOptions,
): Placement {
  if (none) return { path: `${NO_CGROUP}/${id}`, scope: undefined }
  if (systemd) {
    const scope = cgroupsPath ? parseScope(cgroupsPath) : defaultScope(id)
    return { path: scope.path, scope }
  }
  const path = cgroupsPath || `/crio-lxc/${id}`
  // It would be a directory of this name: whoever names a scope means one, and its slice's limits.
  if (/^[^/:]*:[^/:]*:[^/:]+$/.test(path))
    throw new SpecError(
      POINTER,
      `${JSON.stringify(path)} is slice:prefix:name, a scope of systemd: give --systemd-cgroup, or a path`,
    )
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') throw new SpecError(POINTER, `${JSON.stringify(path)} must not contain ".."`)
    if (part !== '' && part !== '.') parts.push(part)
  }
  if (`/${parts[0]}` === NO_CGROUP) throw new SpecError(POINTER, `${JSON.stringify(path)} is kept free: choose another`)
  if (parts.length === 0) throw new SpecError(POINTER, 'must not be the root of the hierarchy')
  return { path: `/${parts.join('/')}`, scope: undefined }
}
