/** The `linux` object of config.json (config-linux.md); section names in brackets. Its resources are in resources.ts. */
import type { Id, Int64, Uint32, Uint64 } from './integers.ts'
import type { Resources } from './resources.ts'

export interface Linux {
  /** Namespaces to make or to join, each type once; a type not listed is the runtime's own [Namespaces]. */
  readonly namespaces?: readonly Namespace[]
  /** Ids of the user namespace [User namespace mappings]. */
  readonly uidMappings?: readonly IdMapping[]
  readonly gidMappings?: readonly IdMapping[]
  /** Clock name (`monotonic`, `boottime`) to offset [Offset for Time Namespace]. */
  readonly timeOffsets?: Readonly<Record<string, TimeOffset>>
  /** Device nodes beside the default ones [Devices]. */
  readonly devices?: readonly Device[]
  /** Host interface name to what it becomes in the container [Network Devices]. */
  readonly netDevices?: Readonly<Record<string, NetDevice>>
  /** Where in the cgroup hierarchies; with the systemd driver `slice:prefix:name` [Cgroups Path]. */
  readonly cgroupsPath?: string
  /** Limits of the cgroup [Control groups]. */
  readonly resources?: Resources
  /** Resource Director Technology [IntelRdt]. */
  readonly intelRdt?: IntelRdt
  /** NUMA policy of the process, set_mempolicy(2) [Memory policy]. */
  readonly memoryPolicy?: MemoryPolicy
  /** Parameter name (dots or slashes) to value [Sysctl]. */
  readonly sysctl?: Readonly<Record<string, string>>
  /** System call filter [Seccomp]. */
  readonly seccomp?: Seccomp
  /** Propagation of the root mount; the empty string is the default [Rootfs Mount Propagation]. */
  readonly rootfsPropagation?: RootfsPropagation
  /** Absolute paths that the container cannot read [Masked Paths]. */
  readonly maskedPaths?: readonly string[]
  /** Absolute paths that the container cannot write [Readonly Paths]. */
  readonly readonlyPaths?: readonly string[]
  /** SELinux label of the mounts [Mount Label]. */
  readonly mountLabel?: string
  /** personality(2) [Personality]. */
  readonly personality?: Personality
}

export interface Namespace {
  readonly type: NamespaceType
  /** File of the namespace to join, absolute; absent or empty: a new one. */
  readonly path?: string
}

/** [Namespaces] */
export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

/** One line of /proc/PID/uid_map: `size` ids from `containerID` are those from `hostID`. */
export interface IdMapping {
  readonly containerID: Id
  readonly hostID: Id
  readonly size: Uint32
}

/** time_namespaces(7). */
export interface TimeOffset {
  readonly secs?: Int64
  readonly nanosecs?: Uint32
}

/** mknod(2) [Devices]. */
export interface Device {
  /** `u` is a synonym of `c`; `p` is a FIFO and has no numbers. */
  readonly type: DeviceType
  /** In the container, absolute. */
  readonly path: string
  readonly major?: DeviceMajor
  readonly minor?: DeviceMinor
  /** Permission bits (bits of a file type are ignored); absent: 0666. */
  readonly fileMode?: Uint32
  /** Owner in the container's user namespace; absent: 0. */
  readonly uid?: Id
  readonly gid?: Id
}

/** [Devices] */
export type DeviceType = 'c' | 'b' | 'u' | 'p'

/**
 * The kernel keeps 12 bits; a greater number would silently name another device.
 * @asType integer
 * @minimum 0
 * @maximum 4095
 */
export type DeviceMajor = number

/**
 * The kernel keeps 20 bits; a greater number would silently name another device.
 * @asType integer
 * @minimum 0
 * @maximum 1048575
 */
export type DeviceMinor = number

/** [Network Devices] */
export interface NetDevice {
  /** Its name in the container; absent: unchanged. */
  readonly name?: string
}

/** [IntelRdt]; schemata are lines of resctrl's file. */
export interface IntelRdt {
  readonly closID?: string
  readonly schemata?: readonly string[]
  readonly l3CacheSchema?: string
  readonly memBwSchema?: string
  readonly enableMonitoring?: boolean
  /** Until runtime-spec 1.2. */
  readonly enableCMT?: boolean
  /** Until runtime-spec 1.2. */
  readonly enableMBM?: boolean
}

/** set_mempolicy(2) [Memory policy]. */
export interface MemoryPolicy {
  /** Absent or empty: the kernel's default. */
  readonly mode?:
    | ''
    | 'MPOL_DEFAULT'
    | 'MPOL_BIND'
    | 'MPOL_INTERLEAVE'
    | 'MPOL_WEIGHTED_INTERLEAVE'
    | 'MPOL_PREFERRED'
    | 'MPOL_PREFERRED_MANY'
    | 'MPOL_LOCAL'
  /** List of NUMA nodes like `0-3,7`. */
  readonly nodes?: string
  readonly flags?: readonly ('MPOL_F_NUMA_BALANCING' | 'MPOL_F_RELATIVE_NODES' | 'MPOL_F_STATIC_NODES')[]
}

/** The spec's four words, and the recursive ones that runc and podman use beside them. */
export type RootfsPropagation =
  | ''
  | 'private'
  | 'rprivate'
  | 'shared'
  | 'rshared'
  | 'slave'
  | 'rslave'
  | 'unbindable'
  | 'runbindable'

/** [Personality] */
export interface Personality {
  readonly domain: 'LINUX' | 'LINUX32'
  /** None are defined. */
  readonly flags?: readonly string[]
}

/** [Seccomp]; the names are libseccomp's. */
export interface Seccomp {
  readonly defaultAction: SeccompAction
  /** errno(3) of the default action when that is SCMP_ACT_ERRNO or SCMP_ACT_TRACE; absent: EPERM. */
  readonly defaultErrnoRet?: SeccompErrno
  /** Architectures beside the kernel's own. */
  readonly architectures?: readonly SeccompArch[]
  readonly flags?: readonly SeccompFlag[]
  /** Socket that gets the notify descriptor, for SCMP_ACT_NOTIFY. */
  readonly listenerPath?: string
  /** Opaque text sent along. */
  readonly listenerMetadata?: string
  readonly syscalls?: readonly SeccompSyscall[]
}

/**
 * The data part of a seccomp return value: 16 bits.
 * @asType integer
 * @minimum 0
 * @maximum 65535
 */
export type SeccompErrno = number

/** One rule for several system calls; every argument must match. */
export interface SeccompSyscall {
  readonly names: readonly string[]
  readonly action: SeccompAction
  /** As defaultErrnoRet. */
  readonly errnoRet?: SeccompErrno
  readonly args?: readonly SeccompArg[]
}

export interface SeccompArg {
  readonly index: SeccompArgIndex
  readonly value: Uint64
  /** For SCMP_CMP_MASKED_EQ: (argument & value) == valueTwo. */
  readonly valueTwo?: Uint64
  readonly op: SeccompOperator
}

/**
 * A system call has six arguments.
 * @asType integer
 * @minimum 0
 * @maximum 5
 */
export type SeccompArgIndex = number

export type SeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY'

export type SeccompOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ'

export type SeccompFlag =
  | 'SECCOMP_FILTER_FLAG_TSYNC'
  | 'SECCOMP_FILTER_FLAG_LOG'
  | 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'
  | 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'

export type SeccompArch =
  | 'SCMP_ARCH_X86'
  | 'SCMP_ARCH_X86_64'
  | 'SCMP_ARCH_X32'
  | 'SCMP_ARCH_ARM'
  | 'SCMP_ARCH_AARCH64'
  | 'SCMP_ARCH_LOONGARCH64'
  | 'SCMP_ARCH_M68K'
  | 'SCMP_ARCH_MIPS'
  | 'SCMP_ARCH_MIPS64'
  | 'SCMP_ARCH_MIPS64N32'
  | 'SCMP_ARCH_MIPSEL'
  | 'SCMP_ARCH_MIPSEL64'
  | 'SCMP_ARCH_MIPSEL64N32'
  | 'SCMP_ARCH_PPC'
  | 'SCMP_ARCH_PPC64'
  | 'SCMP_ARCH_PPC64LE'
  | 'SCMP_ARCH_S390'
  | 'SCMP_ARCH_S390X'
  | 'SCMP_ARCH_SH'
  | 'SCMP_ARCH_SHEB'
  | 'SCMP_ARCH_PARISC'
  | 'SCMP_ARCH_PARISC64'
  | 'SCMP_ARCH_RISCV64'
