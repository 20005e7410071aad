/** linux.namespaces seen from the host: which are made, which are joined, which stay the runtime's. */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from '@crio-lxc/core/abi/constants'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { Namespace, NamespaceType } from '@crio-lxc/core/oci/linux'
import { namespaceType } from '@crio-lxc/core/sys/libc-process'

/** The files below /proc/PID/ns, and the flags of clone(2) and setns(2). */
export const namespaceKinds: Readonly<Record<NamespaceType, { readonly file: string; readonly flag: number }>> = {
  pid: { file: 'pid', flag: CLONE_NEWPID },
  network: { file: 'net', flag: CLONE_NEWNET },
  mount: { file: 'mnt', flag: CLONE_NEWNS },
  ipc: { file: 'ipc', flag: CLONE_NEWIPC },
  uts: { file: 'uts', flag: CLONE_NEWUTS },
  user: { file: 'user', flag: CLONE_NEWUSER },
  cgroup: { file: 'cgroup', flag: CLONE_NEWCGROUP },
  time: { file: 'time', flag: CLONE_NEWTIME },
}

export interface OpenNamespaces {
  readonly created: ReadonlySet<NamespaceType>
  /** fds of the namespace files to be joined; the caller closes them. */
  readonly shared: ReadonlyMap<NamespaceType, number>
}

/** Opens what is joined by path, and checks that each path is a namespace of its type. */
export function openNamespaces(namespaces: readonly Namespace[]): OpenNamespaces {
  const created = new Set<NamespaceType>()
  const shared = new Map<NamespaceType, number>()
  namespaces.forEach(({ type, path }, index) => {
    if (!path) created.add(type)
    else {
      const fd = openNamespace(type, path, `linux.namespaces[${index}].path`)
      // The runtime's own namespace by its path is no other namespace: nothing may be changed in it.
      if (fd !== undefined) shared.set(type, fd)
    }
  })
  if (!created.has('mount') && !shared.has('mount'))
    throw new SpecError('linux.namespaces', 'a mount namespace is needed: without one the host would see every mount')
  return { created, shared }
}

function openNamespace(type: NamespaceType, path: string, pointer: string): number | undefined {
  const { file, flag } = namespaceKinds[type]
  const own = statSync(`/proc/self/ns/${file}`)
  let fd: number
  try {
    fd = openSync(path, 0o4000)
  } catch (cause) {
    throw new SpecError(pointer, `open ${path}: ${messageOf(cause).replace(/^[A-Z]+: |, open '.*'$/g, '')}`)
  }
  if (namespaceType(fd) !== flag) {
    closeSync(fd)
    throw new SpecError(pointer, `${path} is not a ${type} namespace such as /proc/PID/ns/${file}`)
  }
  if (fstatSync(fd).ino !== own.ino) return fd
  closeSync(fd)
  return undefined
}
