/**
 * What the kernel says of a container where the container itself could answer in its place: its device nodes are looked at
 * below its root without following a link, and sysctls are read from the host's procfs, as a member of the container's namespaces.
 */
import { AT_FDCWD, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '@crio-lxc/core/abi/constants'
import type { Device } from '@crio-lxc/core/oci/linux'
import { sysctlFile, sysctlNamespace } from '@crio-lxc/core/oci/sysctl-rules'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { type FdScope, withFds } from '@crio-lxc/core/sys/fd-scope'
import { fstat, O_DIRECTORY, O_PATH, O_RDONLY, openAt, withFile } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'
import { setns } from '@crio-lxc/core/sys/process'
import { deviceText } from './asked.ts'
import { hostLine } from './host-text.ts'

const RESOLVE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS
const S_IFMT = 0o170000
const typeLetters = new Map([
  [0o020000, 'c'],
  [0o060000, 'b'],
  [0o010000, 'p'],
])
/** Of which sysctls may be a container's. */
const namespaces = ['net', 'ipc', 'uts']

/** What is at the paths of these devices; `no` before the path of one that is missing or something else. */
export function presentDevices(pid: number, devices: readonly Device[]): string[] {
  if (devices.length === 0) return []
  return withFile(`/proc/${pid}/root`, O_PATH | O_DIRECTORY, (root) => devices.map((device) => nodeAt(root, device)))
}

function nodeAt(root: number, { path }: Device): string {
  let node: Fd | undefined
  try {
    node = openat2(root, path, { flags: O_PATH, resolve: RESOLVE })
    const { mode, rdevNumbers } = fstat(node)
    const [major, minor] = rdevNumbers
    const type = typeLetters.get(mode & S_IFMT) as Device['type'] | undefined
    return type === undefined ? `no ${path}` : deviceText({ type, path, major, minor })
  } catch {
    return `no ${path}`
  } finally {
    if (node !== undefined) close(node)
  }
}

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
