import { ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { log } from '@crio-lxc/core/log/logger'
import type { State } from '@crio-lxc/core/oci/state'
import { fileExists, readEntries } from '@crio-lxc/core/sys/files'
import { stateOf } from '../container/container-state.ts'
import { loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'

/** list: the state of every container below the runtime root, by id. A missing default root has none. */
export function list(settings: Settings): State[] {
  return containerIds(settings).flatMap((id) => {
    try {
      return [stateOf(loadContainer(settings, id))]
    } catch (error) {
      // Deleted meanwhile.
      if (error instanceof ErrNotExist && !fileExists(`${settings.root}/${id}`)) return []
      // One that is damaged must not hide the others.
      log.warn(`skip ${id}: ${messageOf(error)}`, { c: 'list' })
      return []
    }
  })
}

function containerIds({ root, rootIsExplicit }: Settings): string[] {
  try {
    return (
      readEntries(root)
        // With the colon: what is being made or removed.
        .filter((entry) => entry.directory && !entry.name.startsWith(':'))
        .map(({ name }) => name)
        .sort()
    )
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && !rootIsExplicit) return []
    throw new RuntimeError('io', `read the runtime root ${root}: ${reasonOf(cause)}`, { cause })
  }
}
