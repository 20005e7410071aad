/** Where a process of exec joins the container's cgroup. */

import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import type { FdScope } from '../../sys/fd-scope.ts'
import { readText } from '../../sys/files.ts'
import { runningThread } from '../process/proc.ts'
import { type OpenCgroupOptions, openCgroup } from './cgroupfs.ts'
import type { CgroupLayout, Hierarchy } from './plan/cgroup-layout.ts'

/**
 * Where a process may join the container whose cgroup is `path`. A v2 cgroup that hands controllers down takes no process
 * (cgroup-v2.rst, "No Internal Process Constraint"): so it is when the container runs systemd, or divides its cgroup
 * itself. Then it is the cgroup in which its init is now, as in runc.
 */
export function execCgroup({ mode, hierarchies }: CgroupLayout, path: string, init: number): string {
  const [hierarchy] = hierarchies
  if (mode !== 'v2' || hierarchy === undefined) return path
  if (handedDown(hierarchy, path) === '') return path
  const inner = cgroupOf(init)(hierarchy)
  return inner.startsWith(`${path}/`) ? inner : path
}

/** Nothing where the cgroup is gone. */
function handedDown({ mountPoint }: Hierarchy, path: string): string {
  try {
    return readText(`${mountPoint}${path}/cgroup.subtree_control`).trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw new RuntimeError('cgroup', `look at the cgroup ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * Where a process is now. It is init's place that counts for a container whose cgroup is gone: systemd drops a scope out
 * of which the last process has been moved, though the container runs on.
 */
export function cgroupOf(pid: number): (hierarchy: Hierarchy) => string {
  return ({ name, version }) => {
    const lines = readText(`/proc/${runningThread(pid)}/cgroup`)
      .trim()
      .split('\n')
    const line = lines.find((text) => {
      const [id, list = ''] = text.split(':', 2)
      return version === 2 ? id === '0' : id !== '0' && list.replace(/^name=/, '') === name
    })
    // A v2 hierarchy that is mounted is in every process's list, and so are those of v1.
    return line?.split(':').slice(2).join(':') ?? ''
  }
}

/**
 * The cgroups of `--cgroup` below `path`, for each hierarchy: PATH for all of them, or CONTROLLER[,CONTROLLER]:PATH for
 * those of some, which leaves the others at `path`. They must exist. Throws RuntimeError `usage` for anything else.
 */
export function subCgroups(
  args: readonly string[],
  { path, layout: { hierarchies } }: { path: string; layout: CgroupLayout },
): (hierarchy: Hierarchy) => string {
  const paths = new Map<Hierarchy, string>()
  for (const arg of args) {
    const at = arg.indexOf(':')
    const below = belowCgroup(path, arg.slice(at + 1), arg)
    if (at < 0 && args.length > 1) throw invalid(arg, 'only one path can be for all hierarchies: write CONTROLLER:PATH')
    const chosen =
      at < 0
        ? hierarchies
        : arg
            .slice(0, at)
            .split(',')
            .map((name) => hierarchyOf(hierarchies, name, arg))
    for (const hierarchy of chosen) {
      const before = paths.get(hierarchy)
      if (before !== undefined && before !== below)
        throw invalid(arg, `the hierarchy ${hierarchy.name} has another path already`)
      paths.set(hierarchy, below)
    }
  }
  return (hierarchy) => paths.get(hierarchy) ?? path
}

/** Opens them. Throws RuntimeError `cgroup` for one that does not exist, in words of runc. */
export function openSubCgroups(
  args: readonly string[],
  { path, layout, others }: { path: string; layout: CgroupLayout } & OpenCgroupOptions,
  fds: FdScope,
): ReturnType<typeof openCgroup> {
  const paths = subCgroups(args, { path, layout })
  try {
    return openCgroup(layout, paths, { others }, fds)
  } catch (cause) {
    throw new RuntimeError('cgroup', `--cgroup ${args.join(' ')}: adding pid to the cgroup: ${messageOf(cause)}`, {
      cause,
    })
  }
}

function hierarchyOf(hierarchies: readonly Hierarchy[], name: string, arg: string): Hierarchy {
  const found = hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes(name))
  if (!found) throw invalid(arg, `unknown controller ${JSON.stringify(name)}: no hierarchy of cgroup v1 has it`)
  return found
}

function belowCgroup(path: string, below: string, arg: string): string {
  const parts: string[] = []
  for (const part of below.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw invalid(arg, `${below} is not a sub cgroup path`)
  }
  return [path, ...parts].join('/')
}

function invalid(arg: string, problem: string): RuntimeError {
  return new RuntimeError('usage', `invalid --cgroup ${JSON.stringify(arg)}: ${problem}`)
}
