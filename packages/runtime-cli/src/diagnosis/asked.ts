/** What config.json asks for, of what an operator looks for first. PURE. */
import type { Device } from '@crio-lxc/core/oci/linux'
import { effectiveRlimits } from '@crio-lxc/core/oci/rlimits'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { Facts } from './inspection.ts'

export function askedFacts(spec: Spec): Facts {
  const { process, linux = {}, root, mounts = [], hooks = {} } = spec
  const { memory, cpu, pids } = linux.resources ?? {}
  return {
    args: process.args,
    user: `${process.user.uid}:${process.user.gid}`,
    ...Object.fromEntries(
      (linux.namespaces ?? []).map(({ type, path }) => [`namespaces.${type}`, path ? `that of ${path}` : 'new']),
    ),
    cgroupsPath: linux.cgroupsPath,
    'memory.limit': memory?.limit?.toString(),
    'cpu.quota': cpu?.quota === undefined ? undefined : `${cpu.quota}/${cpu.period ?? 'default'}`,
    'cpu.cpus': cpu?.cpus,
    'pids.limit': pids?.limit?.toString(),
    'capabilities.effective': process.capabilities?.effective,
    'capabilities.bounding': process.capabilities?.bounding,
    ...Object.fromEntries(
      effectiveRlimits(process.rlimits).map(({ type, soft, hard }) => [
        `rlimits.${type}`,
        `${limit(soft)}/${limit(hard)}`,
      ]),
    ),
    noNewPrivileges: String(process.noNewPrivileges ?? false),
    seccomp: linux.seccomp && `${linux.seccomp.syscalls?.length ?? 0} rules`,
    apparmorProfile: process.apparmorProfile,
    selinuxLabel: process.selinuxLabel,
    oomScoreAdj: typeof process.oomScoreAdj === 'number' ? String(process.oomScoreAdj) : undefined,
    root: `${root.path}${root.readonly ? ', read-only' : ''}`,
    mounts: String(mounts.length),
    devices: (linux.devices ?? []).map(deviceText),
    ...Object.fromEntries(Object.entries(linux.sysctl ?? {}).map(([name, value]) => [`sysctl.${name}`, value])),
    hooks: Object.entries(hooks).flatMap(([name, { length = 0 } = []]) => (length > 0 ? [`${length} ${name}`] : [])),
  }
}

const UNLIMITED = 2n ** 64n - 1n

function limit(value: number | bigint): string {
  return BigInt(value) === UNLIMITED ? 'unlimited' : String(value)
}

/** `c 10:229 /dev/fuse`; a fifo has no numbers. */
export function deviceText({ type, path, major, minor }: Device): string {
  return type === 'p' ? `p ${path}` : `${type === 'u' ? 'c' : type} ${major}:${minor} ${path}`
}
