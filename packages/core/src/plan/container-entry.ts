import type { OpenCgroup } from '../cgroup/plan/join-cgroup.ts'
import type { JoinedNamespace } from './joined-namespace.ts'

/** How a process of the host enters a container, for exec or a hook: what is open, and inherited under these numbers. */
export interface ContainerEntry {
  /** In which the container differs from the runtime. */
  readonly namespaces: readonly JoinedNamespace[]
  readonly cgroup: OpenCgroup
  /** The process gets a session keyring of its own. */
  readonly newKeyring: boolean
}

/** Every fd of it. */
export function fdsOf({ namespaces, cgroup: { tasks, unified } }: ContainerEntry): number[] {
  return [...namespaces.map(({ fd }) => fd), ...tasks, ...(unified === undefined ? [] : [unified])]
}
