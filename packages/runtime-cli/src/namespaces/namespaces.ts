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
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { checkNamespaceRules } from '@crio-lxc/core/oci/namespace-rules'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { fstat, openFile, readText, stat } from '@crio-lxc/core/sys/files'
import { namespaceType } from '@crio-lxc/core/sys/process'
import type { OpenNamespaces } from './plan/open-namespaces.ts'

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

/**
 * Opens what is joined by path, for `fds`. Throws SpecError for a path that is no namespace of its type, and for a field that sets
 * something in a namespace that turns out to be the host's.
 */
export function openNamespaces(spec: Spec, fds: FdScope): OpenNamespaces {
  const created = new Set<NamespaceType>()
  const joined = new Map<NamespaceType, number>()
  const own = new Set<NamespaceType>()
  for (const [index, { type, path }] of (spec.linux?.namespaces ?? []).entries()) {
    if (path) {
      const { fd, ino } = openNamespace(type, path, `linux.namespaces[${index}].path`)
      fds.keep(fd)
      // Joining the runtime's own would be joining nothing.
      if (ino === namespaceOf('self', type)) continue
      joined.set(type, fd)
      // A runtime in namespaces of its own can still be sent to those of the machine.
      if (ino !== namespaceOf('1', type)) own.add(type)
    } else {
      created.add(type)
      own.add(type)
    }
  }
  // With anything to join liblxc makes a cgroup namespace too; from inside a user namespace the way back is barred.
  if (joined.size > 0 && ![...created, ...joined.keys()].some((type) => type === 'cgroup' || type === 'user'))
    joined.set('cgroup', fds.keep(openFile('/proc/self/ns/cgroup', 0o4000)))
  const sharesUts = !created.has('uts') && !joined.has('uts')
  checkNamespaceRules(sharesUts ? withoutHostnameInEffect(spec) : spec, own)
  return { created, joined }
}

/** Callers repeat the host's name when they share its UTS namespace by path: nothing would change. */
function withoutHostnameInEffect(spec: Spec): Spec {
  if (!spec.hostname || spec.hostname !== readText('/proc/sys/kernel/hostname').trimEnd()) return spec
  return { ...spec, hostname: '' }
}

function openNamespace(type: NamespaceType, path: string, pointer: string): { fd: Fd; ino: bigint } {
  const { file, flag } = namespaceKinds[type]
  let fd: Fd
  try {
    fd = openFile(path, 0o4000)
  } catch (cause) {
    const advice = codeOf(cause) === 'ENOENT' ? ': make the namespace before the container' : ''
    throw new SpecError(pointer, `open ${path}: ${reasonOf(cause)}${advice}`)
  }
  if (namespaceType(fd) === flag) return { fd, ino: fstat(fd).ino }
  close(fd)
  throw new SpecError(pointer, `${path} is not a ${type} namespace such as /proc/PID/ns/${file}`)
}

/** Whether an open namespace is the one that this process is in. */
export function isOwnNamespace(type: NamespaceType, fd: number): boolean {
  return fstat(fd).ino === namespaceOf('self', type)
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
