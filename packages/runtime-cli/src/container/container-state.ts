import type { State } from '@crio-lxc/core/oci/state'
import type { Container } from './load-container.ts'

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
