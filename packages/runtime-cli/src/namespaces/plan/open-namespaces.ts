import type { NamespaceType } from '@crio-lxc/core/oci/linux'

/** The namespaces that are the container's; of every other type it shares the runtime's. */
export interface OpenNamespaces {
  readonly created: ReadonlySet<NamespaceType>
  /** fds of the namespace files to be joined. */
  readonly joined: ReadonlyMap<NamespaceType, number>
}

/** Whether the container sees the processes of the runtime's pid namespace. */
export function sharesPids({ created, joined }: OpenNamespaces): boolean {
  return !created.has('pid') && !joined.has('pid')
}

/** The kernel gives a new sysfs to those alone whose user namespace the network namespace belongs to. */
export function sharesSysfs({ created, joined }: OpenNamespaces): boolean {
  if (created.has('network')) return false
  return created.has('user') || (joined.has('user') && !joined.has('network'))
}
