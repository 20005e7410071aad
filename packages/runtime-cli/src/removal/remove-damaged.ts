/** delete --force of a container whose files are missing, damaged, from the future or not ours. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { listProcesses } from '@crio-lxc/core/host/cgroup/cgroup-processes'
import { removeCgroup } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { resolveCgroupsPath } from '@crio-lxc/core/host/cgroup/cgroups-path'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { readMark } from '@crio-lxc/core/host/cgroup/mark-cgroup'
import { type Hierarchy, membershipHierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { isCgroupPath } from '@crio-lxc/core/host/container/container-facts'
import type { ContainerInfo, InitFacts } from '@crio-lxc/core/host/container/container-info'
import { decodePresentJSON } from '@crio-lxc/core/host/container/json-file'
import { isAlive } from '@crio-lxc/core/host/process/proc'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { readDirectory, readText } from '@crio-lxc/core/sys/files'
import type { Container } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'
import { endContainer } from './end-container.ts'
import { Remains } from './remains.ts'

/** What create leaves in a runtime directory; a directory with anything else is no container's. */
const ownNames = /^(container\.json|init\.json|config\.json|config|lxc\.log|seccomp\.bpf|fifo|notify)(\.\d+\.tmp)?$/

/** A container whose init.json alone is damaged: its processes are found in its cgroup. undefined: there is more. */
export function loadWithoutInit(info: ContainerInfo): Container | undefined {
  const facts = attempt(() => info.load())
  return facts && { info, facts, init: undefined, status: 'stopped' }
}

/**
 * Kills what init.json proves to be the container's: init, and what is in its cgroup. Of other cgroups only those
 * without processes are removed, as nothing says whose the processes are. Throws RuntimeError.
 */
export function removeDamaged(settings: Settings, info: ContainerInfo): void {
  const stranger = readDirectory(info.runtimePath()).find((name) => !ownNames.test(name))
  if (stranger !== undefined)
    throw new RuntimeError(
      'io',
      `remove ${info.runtimePath()}: it is no container's directory, it has ${JSON.stringify(stranger)}: remove it by hand`,
    )
  const layout = cgroupLayout()
  const init = attempt(() => info.loadInit())
  const named = namedCgroups(settings, info)
  const remains = new Remains(true)
  const cgroup = init && !init.withoutCgroup ? cgroupOf(init, named) : undefined
  endContainer(settings, { layout, cgroup, processes: [init?.init, init?.monitor] }, remains)
  for (const path of named) attempt(() => removeCgroup(layout, path))
  info.remove()
  remains.report(info.containerId)
}

/** The container's cgroup, one of the `named` or around where init is; undefined when it cannot be told, or is another's. */
function cgroupOf({ init, cgroupMark }: InitFacts, named: readonly string[]): string | undefined {
  const layout = cgroupLayout()
  const hierarchy = membershipHierarchy(layout)
  if (!hierarchy) return undefined
  const place = isAlive(init) ? placeOf(init.pid, hierarchy) : undefined
  // It may have been moved to where others are.
  if (cgroupMark !== undefined)
    return [...named, ...(place === undefined ? [] : withAbove(place))].find(
      (path) => attempt(() => readMark(layout, path)) === cgroupMark,
    )
  if (!isAlive(init)) return undefined
  return named.find((path) => attempt(() => listProcesses(layout, path))?.includes(init.pid)) ?? place
}

/** Where a process is; undefined for the root, and when its path is too long for the kernel to tell. */
function placeOf(pid: number, { version, controllers }: Hierarchy): string | undefined {
  const [key, id] = version === 2 ? ['', '0'] : [controllers.join(',')]
  const path = (attempt(() => readText(`/proc/${pid}/cgroup`)) ?? '')
    .split('\n')
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line))
    .find((fields) => fields && fields[2] === key && (id === undefined || fields[1] === id))?.[3]
  return isCgroupPath(path) ? path : undefined
}

/** The path and those above it, the nearest first. */
function withAbove(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, up) => parts.slice(0, parts.length - up).join('/'))
}

/** What container.json or config.json call the container's cgroup, as far as they can be read. */
function namedCgroups({ systemdCgroup: systemd }: Settings, info: ContainerInfo): string[] {
  const facts = attempt(() => decodePresentJSON(info.runtimePath('container.json'))) as
    | { cgroupDir?: unknown }
    | undefined
  const spec = attempt(() => decodePresentJSON(info.runtimePath('config.json'))) as Spec | undefined
  const resolved = attempt(
    () => spec && resolveCgroupsPath(spec.linux?.cgroupsPath, { id: info.containerId, systemd }).path,
  )
  return [facts?.cgroupDir, resolved].filter(isCgroupPath)
}

/** undefined for what fails: nothing of a damaged container can be relied on. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
