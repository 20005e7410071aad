import type { State } from '@crio-lxc/core/oci/state'
import { stateOf } from '../container/container-state.ts'
import { loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'

/** state: runtime.md, "Query State". Throws ErrNotExist. */
export function state(settings: Settings, id: string): State {
  // As runc: the owner's name is looked up for people, in list.
  return { ...stateOf(loadContainer(settings, id)), owner: '' }
}
