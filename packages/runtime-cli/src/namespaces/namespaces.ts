/** linux.namespaces seen from the host: which are made, which are joined, which stay the runtime's. */

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
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { checkNamespaceRules } from '@crio-lxc/core/oci/namespace-rules'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { close } from '@crio-lxc/core/sys/fd'
import { fstat, openFile, readText, stat } from '@crio-lxc/core/sys/files'
import { namespaceType } from '@crio-lxc/core/sys/process'

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

/** Whether the container sees the processes of the runtime's pid namespace. */
export function sharesPids({ created, shared }: OpenNamespaces): boolean {
  return !created.has('pid') && !shared.has('pid')
}

/** The namespaces that are the container's; of every other type it shares the runtime's. */
export interface OpenNamespaces {
  readonly created: ReadonlySet<NamespaceType>
  /** fds of the namespace files to be joined; the caller closes them. */
  readonly shared: ReadonlyMap<NamespaceType, number>
}

/**
 * Opens what is joined by path. Throws SpecError for a path that is no namespace of its type, and for a field that sets
 * something in a namespace that turns out to be the host's.
 */
export function openNamespaces(spec: Spec): OpenNamespaces {
  const created = new Set<NamespaceType>()
  const shared = new Map<NamespaceType, number>()
  const own = new Set<NamespaceType>()
  try {
    for (const [index, { type, path }] of (spec.linux?.namespaces ?? []).entries()) {
      if (path) {
        const { fd, ino } = openNamespace(type, path, `linux.namespaces[${index}].path`)
        // Joining the runtime's own would be joining nothing.
        if (ino === namespaceOf('self', type)) close(fd)
        else {
          shared.set(type, fd)
          // A runtime in namespaces of its own can still be sent to those of the machine.
          if (ino !== namespaceOf('1', type)) own.add(type)
        }
      } else {
        created.add(type)
        own.add(type)
      }
    }
    // With anything to join liblxc makes a cgroup namespace too; from inside a user namespace the way back is barred.
    if (shared.size > 0 && ![...created, ...shared.keys()].some((type) => type === 'cgroup' || type === 'user'))
      shared.set('cgroup', openFile('/proc/self/ns/cgroup', 0o4000))
    const sharesUts = !created.has('uts') && !shared.has('uts')
    checkNamespaceRules(sharesUts ? withoutHostnameInEffect(spec) : spec, own)
  } catch (error) {
    for (const fd of shared.values()) close(fd)
    throw error
  }
  return { created, shared }
}

/** The kernel gives a new sysfs to those alone whose user namespace the network namespace belongs to. */
export function sharesSysfs({ created, shared }: OpenNamespaces): boolean {
  if (created.has('network')) return false
  return created.has('user') || (shared.has('user') && !shared.has('network'))
}

/** Callers repeat the host's name when they share its UTS namespace by path: nothing would change. */
function withoutHostnameInEffect(spec: Spec): Spec {
  if (!spec.hostname || spec.hostname !== readText('/proc/sys/kernel/hostname').trimEnd()) return spec
  return { ...spec, hostname: '' }
}

function openNamespace(type: NamespaceType, path: string, pointer: string): { fd: number; ino: bigint } {
  const { file, flag } = namespaceKinds[type]
  let fd: number
  try {
    fd = openFile(path, 0o4000)
  } catch (cause) {
    throw new SpecError(pointer, `open ${path}: ${reasonOf(cause)}`)
  }
  if (namespaceType(fd) === flag) return { fd, ino: fstat(fd).ino }
  close(fd)
  throw new SpecError(pointer, `${path} is not a ${type} namespace such as /proc/PID/ns/${file}`)
}

/** Inode of a process's namespace, which tells namespaces apart (namespaces(7)); undefined when /proc hides it. */
function namespaceOf(pid: 'self' | '1', type: NamespaceType): bigint | undefined {
  try {
    return stat(`/proc/${pid}/ns/${namespaceKinds[type].file}`).ino
  } catch (error) {
    // A runtime that is kept from tracing pid 1 (ptrace(2), "access mode checking") knows its own namespaces only.
    if (pid === '1') return undefined
    throw error
  }
}
