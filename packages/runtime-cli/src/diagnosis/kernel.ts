/** The kernel: its version, the calls and namespaces that containers are made of, seccomp, security modules. */
import { errnoTable } from '@crio-lxc/core/abi/errno'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { effectiveCapabilities } from '@crio-lxc/core/host/process/proc'
import { capabilityNames } from '@crio-lxc/core/oci/capabilities'
import { fileExists } from '@crio-lxc/core/sys/files'
import { kernelSeccompFlags } from '@crio-lxc/core/sys/seccomp-flags'
import { attempt } from '@crio-lxc/core/sys/syscall'
import { type Finding, ok, orOk, problem, warning } from './finding.ts'
import { hostLine } from './host-text.ts'

/** mount_setattr(2) came with it. */
const OLDEST = [5, 12] as const

/** Of these every kernel refuses the arguments that missingCalls gives. */
const calls = [
  'clone3',
  'close_range',
  'fsconfig',
  'fsmount',
  'fsopen',
  'mknodat',
  'mount',
  'mount_setattr',
  'move_mount',
  'open_tree',
  'openat2',
  'pidfd_getfd',
  'pidfd_open',
  'pidfd_send_signal',
  'pivot_root',
  'seccomp',
  'setns',
  'umount2',
  'unshare',
] as const

export function kernelFindings(): readonly Finding[] {
  return [
    judgeKernel(hostLine('/proc/sys/kernel/osrelease'), missingCalls()),
    ...judgeNamespaces((name) => fileExists(`/proc/self/ns/${name}`)),
    judgeSeccomp(hostLine('/proc/sys/kernel/seccomp/actions_avail'), kernelSeccompFlags().length),
    securityModules(),
  ]
}

/** Which look at the arguments only when the caller has CAP_SYS_ADMIN. */
const ofAdministrators = new Set<string>(['fsmount', 'fsopen', 'mount_setattr', 'move_mount', 'pivot_root', 'umount2'])

/** Calls that the kernel does not have, or that a filter around this program refuses: with these arguments they fail otherwise. */
function missingCalls(): string[] {
  const isAdministrator = capabilityNames(effectiveCapabilities()).includes('CAP_SYS_ADMIN')
  return calls.filter((name) => {
    const result = attempt(name, -1, 0, -1, 0, -1)
    const isForbidden = result === -errnoTable.EPERM[0] && (isAdministrator || !ofAdministrators.has(name))
    return isForbidden || result === -errnoTable.ENOSYS[0]
  })
}

/** PURE. */
export function judgeKernel(release: string, missing: readonly string[]): Finding {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? []
  const found = `Linux ${release}`
  const old = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])
  if (old) return problem('kernel', found, `use Linux ${OLDEST.join('.')} or newer`)
  if (missing.length === 0) return ok('kernel', found)
  return problem(
    'kernel',
    `${found} without ${missing.join(', ')}`,
    'let the seccomp filter that crio-lxc itself runs under, such as that of an outer container, allow these calls',
  )
}

/** PURE. */
export function judgeNamespaces(has: (name: string) => boolean): readonly Finding[] {
  const [needed, optional] = [
    ['mnt', 'pid', 'ipc', 'uts', 'net'],
    ['cgroup', 'user', 'time'],
  ].map((names) => names.filter((name) => !has(name))) as [string[], string[]]
  const findings = [
    ...(needed.length > 0
      ? [problem('namespaces', `no ${needed.join(', ')}`, 'use a kernel that is built with these namespaces')]
      : []),
    ...(optional.length > 0
      ? [warning('namespaces', `no ${optional.join(', ')}`, 'containers that ask for these need another kernel')]
      : []),
  ]
  return orOk(findings, 'namespaces', 'mnt pid ipc uts net cgroup user time')
}

/** PURE. `actions` are separated by blanks (seccomp(2)). */
export function judgeSeccomp(actions: string, flags: number): Finding {
  if (actions === '') return problem('seccomp', 'none', 'use a kernel with CONFIG_SECCOMP_FILTER, and mount /proc')
  const names = actions.split(/\s+/)
  const lacking = ['kill_process', 'errno', 'user_notif', 'trace', 'log'].filter((name) => !names.includes(name))
  if (lacking.length === 0) return ok('seccomp', `${names.length} actions, user_notif too; ${flags} flags`)
  return warning('seccomp', `no ${lacking.join(', ')}`, 'filters with these actions need another kernel')
}

function securityModules(): Finding {
  const active = hostLine('/sys/kernel/security/lsm')
  const selinux = hostHas('SELinux') && (hostLine('/sys/fs/selinux/enforce') === '1' ? 'enforcing' : 'permissive')
  const words = [
    active === '' ? 'list unknown: securityfs is not mounted' : active,
    `AppArmor ${hostHas('AppArmor') ? 'on' : 'off'}`,
    `SELinux ${selinux || 'off'}`,
  ]
  return ok('LSM', words.join('; '))
}
