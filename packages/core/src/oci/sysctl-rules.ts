/**
 * Which kernel parameters belong to a namespace. All others are the host's, and a container must not set them
 * (CVE-2022-0811: kernel.core_pattern by way of a container's sysctl).
 */
import { SpecError } from '../errors/runtime-error.ts'
import { fieldOf } from './field-path.ts'
import type { NamespaceType } from './linux.ts'

/** Files of /proc/sys/kernel that ipc_namespaces(7) lists. */
const ipcParameters = [
  'kernel/msgmax',
  'kernel/msgmnb',
  'kernel/msgmni',
  'kernel/sem',
  'kernel/shmall',
  'kernel/shmmax',
  'kernel/shmmni',
  'kernel/shm_rmid_forced',
]

/** Throws a SpecError for a key that is not a parameter's name; whose it is, checkNamespaceRules asks. */
export function checkSysctlNames(sysctl: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(sysctl)) {
    const file = sysctlFile(name)
    if (/^[\w@:.-]+(?:\/[\w@:.-]+)+$/.test(file) && !file.split('/').some((part) => part === '.' || part === '..'))
      continue
    throw new SpecError(
      fieldOf('linux.sysctl', name),
      'must be the name of a kernel parameter like net.ipv4.ip_forward',
    )
  }
}

/**
 * The parameter's file below /proc/sys. As sysctl(8): the first separator decides, and with "." a "/" stands for a dot
 * in a name (`net.ipv4.conf.eth0/100.forwarding` is `net/ipv4/conf/eth0.100/forwarding`).
 */
export function sysctlFile(name: string): string {
  if (/^[^./]*\//.test(name)) return name
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
}

/** The namespace that has its own value of the parameter; undefined when there is only the host's. */
export function sysctlNamespace(name: string): NamespaceType | undefined {
  const file = sysctlFile(name)
  if (ipcParameters.includes(file) || file.startsWith('fs/mqueue/')) return 'ipc'
  if (file.startsWith('net/')) return 'network'
  if (file.startsWith('user/')) return 'user'
  if (file === 'kernel/domainname') return 'uts'
  return undefined
}
