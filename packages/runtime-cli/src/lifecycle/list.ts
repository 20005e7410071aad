import { readdirSync } from 'node:fs'
import { ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { State } from '@crio-lxc/core/oci/state'
import { loadContainer } from './load-container.ts'
import type { Settings } from './settings.ts'
import { stateOf } from './state.ts'

/** list: the state of every container below the runtime root, by id. A missing default root has none. */
export function list(settings: Settings): State[] {
  return containerIds(settings).flatMap((id) => {
    try {
      return [stateOf(loadContainer(settings, id))]
    } catch (error) {
      // Deleted meanwhile.
      if (error instanceof ErrNotExist) return []
      throw error
    }
  })
}

function containerIds({ root, rootIsExplicit }: Settings): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && !rootIsExplicit) return []
    throw new RuntimeError('io', `read the runtime root ${root}: ${messageOf(cause)}`, { cause })
  }
}
