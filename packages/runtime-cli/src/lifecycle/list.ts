import { ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { log } from '@crio-lxc/core/host/log/logger'
import type { State } from '@crio-lxc/core/oci/state'
import { subdirectories } from '@crio-lxc/core/sys/directory'
import { fileExists, O_DIRECTORY, withFile } from '@crio-lxc/core/sys/files'
import { stateOf } from '../container/container-state.ts'
import { loadContainer, loadFacts } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'

/** list: the state of every container below the runtime root, by id. A missing default root has none. */
export function list(settings: Settings): State[] {
  return listWith(settings, (id) => stateOf(loadContainer(settings, id)))
}

/** The ids alone, of what has a container.json that a verb accepts: how far its processes are is not asked. */
export function listIds(settings: Settings): string[] {
  return listWith(settings, (id) => loadFacts(settings, id).containerId)
}

function listWith<Found>(settings: Settings, find: (id: string) => Found): Found[] {
  return listEach(settings, find, (id, error) => {
    log.warn(`skip ${id}: ${messageOf(error)}`, { c: 'list' })
    return []
  })
}

/** What is found of each, by id; one that is `damaged` must not hide the others. */
export function listEach<Found>(
  settings: Settings,
  find: (id: string) => Found,
  damaged: (id: string, error: unknown) => Found[],
): Found[] {
  return containerIds(settings).flatMap((id) => {
    try {
      return [find(id)]
    } catch (error) {
      // Deleted meanwhile.
      return error instanceof ErrNotExist && !fileExists(`${settings.root}/${id}`) ? [] : damaged(id, error)
    }
  })
}

function containerIds({ root, rootIsExplicit }: Settings): string[] {
  try {
    const names = withFile(root, O_DIRECTORY, subdirectories)
    // With the colon: what is being made or removed, or lies in the place of a compiled filter.
    return names.filter((name) => !/^\.?:/.test(name)).sort()
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && !rootIsExplicit) return []
    throw new RuntimeError('io', `read the runtime root ${root}: ${reasonOf(cause)}`, { cause })
  }
}
