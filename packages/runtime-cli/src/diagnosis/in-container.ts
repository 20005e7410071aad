/**
 * What the kernel says of a container where the container itself could answer in its place: sysctls are read from the host's
 * procfs, as a member of the container's namespaces. Nothing is looked up below its root, where a filesystem of its own (FUSE)
 * may keep whoever looks for ever.
 */
import { AT_FDCWD } from '@crio-lxc/core/abi/constants'
import { sysctlFile, sysctlNamespace } from '@crio-lxc/core/oci/sysctl-rules'
import type { Fd } from '@crio-lxc/core/sys/fd'
import { type FdScope, withFds } from '@crio-lxc/core/sys/fd-scope'
import { O_RDONLY, openAt } from '@crio-lxc/core/sys/files'
import { setns } from '@crio-lxc/core/sys/process'
import { hostLine } from './host-text.ts'

/** Of which sysctls may be a container's. */
const namespaces = ['net', 'ipc', 'uts']

/**
 * The values of sysctls; one that cannot be read is left out, and so are those of a user namespace: nobody comes back from one.
 * This process is in its own namespaces again when it returns.
 */
export function presentSysctls(pid: number, asked: readonly string[]): Readonly<Record<string, string>> {
  const names = asked.filter((name) => sysctlNamespace(name) !== 'user')
  if (names.length === 0) return {}
  return withFds((fds) => {
    const own = namespaces.map((name) => openNamespace(fds, 'self', name))
    const theirs = namespaces.map((name) => openNamespace(fds, String(pid), name))
    try {
      for (const fd of theirs) setns(fd)
      return Object.fromEntries(names.flatMap((name) => readSysctl(name)))
    } finally {
      for (const fd of own) setns(fd)
    }
  })
}

function openNamespace(fds: FdScope, process: string, name: string): Fd {
  return fds.keep(openAt(AT_FDCWD, `/proc/${process}/ns/${name}`, O_RDONLY))
}

function readSysctl(name: string): (readonly [string, string])[] {
  try {
    return [[name, hostLine(`/proc/sys/${sysctlFile(name)}`).replaceAll('\t', ' ')]]
  } catch {
    return []
  }
}

/** Soft and hard limit of the types that are asked for, by their names in config.json, of the text of proc_pid_limits(5). PURE. */
export function presentRlimits(text: string, types: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    types.flatMap((type) => {
      const [, soft, hard] = new RegExp(`^${limitNames[type]} +(\\S+) +(\\S+)`, 'm').exec(text) ?? []
      return soft === undefined ? [] : [[type, `${soft}/${hard}`] as const]
    }),
  )
}

const limitNames: Readonly<Record<string, string>> = {
  RLIMIT_AS: 'Max address space',
  RLIMIT_CORE: 'Max core file size',
  RLIMIT_CPU: 'Max cpu time',
  RLIMIT_DATA: 'Max data size',
  RLIMIT_FSIZE: 'Max file size',
  RLIMIT_LOCKS: 'Max file locks',
  RLIMIT_MEMLOCK: 'Max locked memory',
  RLIMIT_MSGQUEUE: 'Max msgqueue size',
  RLIMIT_NICE: 'Max nice priority',
  RLIMIT_NOFILE: 'Max open files',
  RLIMIT_NPROC: 'Max processes',
  RLIMIT_RSS: 'Max resident set',
  RLIMIT_RTPRIO: 'Max realtime priority',
  RLIMIT_RTTIME: 'Max realtime timeout',
  RLIMIT_SIGPENDING: 'Max pending signals',
  RLIMIT_STACK: 'Max stack size',
}
