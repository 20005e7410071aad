/** How a process of the host enters a container, for exec or a hook: by the files that were checked, inherited under these numbers. */
import { CLONE_NEWUSER } from '../abi/constants.ts'
import type { NamespaceType } from '../oci/linux.ts'
import type { OpenCgroup } from './join-cgroup.ts'
import type { Plan } from './plan.ts'

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

/** setns(2). */
export interface JoinedNamespace {
  readonly type: NamespaceType
  /** CLONE_NEW* of that type. */
  readonly flag: number
  readonly fd: number
}

/** Whether whoever joins these comes into another user namespace. */
export function joinsUserNamespace(namespaces: readonly JoinedNamespace[]): boolean {
  return namespaces.some(({ flag }) => flag === CLONE_NEWUSER)
}

/** The user namespace last: the others may be those of its parents, in which nobody has a privilege from there. */
export function planJoinNamespaces(plan: Plan, namespaces: readonly JoinedNamespace[]): void {
  const [user, others] = [namespaces.filter(isUser), namespaces.filter((each) => !isUser(each))]
  for (const { type, flag, fd } of [...others, ...user]) {
    plan.step(`join the container's ${type} namespace`, 'setns', [fd, flag])
    plan.step(`close the ${type} namespace`, 'close', [fd])
  }
}

const isUser = ({ flag }: JoinedNamespace): boolean => flag === CLONE_NEWUSER
