import type { State } from '@crio-lxc/core/oci/state'
import { type Container, loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'

/** state: runtime.md, "Query State". Throws ErrNotExist. */
export function state(settings: Settings, id: string): State {
  // As runc: the owner's name is looked up for people, in list.
  return { ...stateOf(loadContainer(settings, id)), owner: '' }
}

/** pid is 0 unless a process is there: CRI-O takes any other number for a running container. */
export function stateOf({ facts, init, status }: Container): State {
  return {
    ociVersion: facts.ociVersion,
    id: facts.containerId,
    pid: status === 'stopped' ? 0 : (init?.init.pid ?? 0),
    status,
    bundle: facts.bundlePath,
    rootfs: facts.rootfs,
    created: facts.createdAt,
    ...(facts.annotations && { annotations: facts.annotations }),
    owner: facts.owner,
  }
}
