import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import { type ContainerFacts, ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { statusOf } from '@crio-lxc/core/host/container/status'
import type { Stored } from '@crio-lxc/core/host/container/stored'
import type { Status } from '@crio-lxc/core/oci/state'
import type { Settings } from '../settings.ts'

/** A container as it is now. */
export interface Container extends Stored {
  readonly status: Status
}

/** What container.json says. Throws as loadContainer. */
export function loadFacts({ root }: Settings, id: string): ContainerFacts {
  return new ContainerInfo(root, checkContainerId(id)).load()
}

/** Throws ErrNotExist, or RuntimeError `io` when its files are damaged. */
export function loadContainer({ root }: Settings, id: string): Container {
  const info = new ContainerInfo(root, checkContainerId(id))
  const facts = info.load()
  const init = info.loadInit()
  return { info, facts, init, status: statusOf({ info, facts, init }) }
}
