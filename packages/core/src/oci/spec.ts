/**
 * config.json as the OCI runtime-spec 1.3 defines it (config.md), in the spec's own field names. What is special to
 * Linux is in linux.ts and resources.ts. The validator is generated from these types at build time, so ranges and
 * enumerations stand here once. Section names in brackets are those of config.md.
 *
 * A field that is null in the file is absent here: `parseSpec` drops it, as every Go runtime does.
 */
import type { Id, Int32, Uint16, Uint64 } from './integers.ts'
import type { IdMapping, Linux } from './linux.ts'

/** The whole of config.json. A Spec that came through `parseSpec` and `validateSpec` has every field's type right. */
export interface Spec {
  /** SemVer of the runtime-spec that the bundle complies with [Specification version]. */
  readonly ociVersion: string
  /** The root filesystem [Root]. */
  readonly root: Root
  /** Mounts beyond the root, made in the listed order [Mounts]. */
  readonly mounts?: readonly Mount[]
  /** The container process [Process]. The spec lets `create` do without; this runtime requires it. */
  readonly process: Process
  /** Host name in the container's UTS namespace, at most 64 bytes [Hostname]. */
  readonly hostname?: string
  /** NIS domain name in the container's UTS namespace, at most 64 bytes [Domainname]. */
  readonly domainname?: string
  /** Commands to run at points of the lifecycle [POSIX-platform Hooks]. */
  readonly hooks?: Hooks
  /** Free metadata, carried to `state` [Annotations]. */
  readonly annotations?: Readonly<Record<string, string>>
  /** config-linux.md. */
  readonly linux?: Linux
  /** config-solaris.md: another platform's. */
  readonly solaris?: PlatformObject
  /** config-windows.md: another platform's. */
  readonly windows?: PlatformObject
  /** config-vm.md: for runtimes based on virtual machines. */
  readonly vm?: PlatformObject
  /** config-zos.md: another platform's. */
  readonly zos?: PlatformObject
  /** config-freebsd.md: another platform's. */
  readonly freebsd?: PlatformObject
}

/** The object of a platform that is not this one; never looked into [Platform-specific configuration]. */
export type PlatformObject = Readonly<Record<string, unknown>>

/** [Root] */
export interface Root {
  /** Directory on the host, absolute or relative to the bundle. */
  readonly path: string
  /** The root is read-only inside the container. */
  readonly readonly?: boolean
}

/** One mount [Mounts]. */
export interface Mount {
  /** Path in the container, absolute; a relative one is taken from `/` (deprecated by the spec). */
  readonly destination: string
  /** Filesystem type of /proc/filesystems, or `bind` / `none` / absent for a bind mount. */
  readonly type?: string
  /** Device, host path (absolute or relative to the bundle for a bind mount) or a dummy. */
  readonly source?: string
  /** Options of mount(8), the spec's table [Linux mount options] and data of the filesystem. */
  readonly options?: readonly string[]
  /** User ids to shift on this mount [Linux: uidMappings of a mount]. */
  readonly uidMappings?: readonly IdMapping[]
  /** Group ids to shift on this mount. */
  readonly gidMappings?: readonly IdMapping[]
}

/** The container process; also the whole of the process.json that `exec --process` reads [Process]. */
export interface Process {
  /** A pseudo terminal is its stdio. */
  readonly terminal?: boolean
  /** Size of that terminal, in characters. */
  readonly consoleSize?: ConsoleSize
  /** Working directory, absolute. */
  readonly cwd: string
  /** Environment, `NAME=value`. */
  readonly env?: readonly string[]
  /** What execvp(3) gets: the executable and its arguments, at least one. */
  readonly args: readonly string[]
  /** The full command line on Windows. */
  readonly commandLine?: string
  /** Who the process runs as; absent in the document: root [User]. */
  readonly user: User
  /** setrlimit(2); of a type that is listed again the last one counts, as with runc [POSIX process]. */
  readonly rlimits?: readonly Rlimit[]
  /** Profile name [Linux Process]. */
  readonly apparmorProfile?: string
  /** The five sets of capabilities(7) [Linux Process]. */
  readonly capabilities?: Capabilities
  /** prctl(PR_SET_NO_NEW_PRIVS) [Linux Process]. */
  readonly noNewPrivileges?: boolean
  /** /proc/PID/oom_score_adj; absent: inherited [Linux Process]. */
  readonly oomScoreAdj?: OomScoreAdj
  /** sched_setattr(2) [Linux Process]. */
  readonly scheduler?: Scheduler
  /** SELinux label of the process [Linux Process]. */
  readonly selinuxLabel?: string
  /** ioprio_set(2) [Linux Process]. */
  readonly ioPriority?: IoPriority
  /** CPUs of a process that `exec` starts [Linux Process]. */
  readonly execCPUAffinity?: ExecCpuAffinity
}

/**
 * -1000 to 1000.
 * @asType integer
 * @minimum -1000
 * @maximum 1000
 */
export type OomScoreAdj = number

/** Size of a terminal in characters: struct winsize. */
export interface ConsoleSize {
  readonly height: Uint16
  readonly width: Uint16
}

/** Ids in the container's user namespace [POSIX-platform User]. */
export interface User {
  /** Absent in the document: 0, as every Go runtime takes it (with-defaults.ts). */
  readonly uid: Id
  readonly gid: Id
  /** umask(2) of the process; absent: the inherited one. */
  readonly umask?: Umask
  /** setgroups(2); the primary group is not added. */
  readonly additionalGids?: readonly Id[]
  /** User name on Windows. */
  readonly username?: string
}

/**
 * Permission bits, 0 to 0777.
 * @asType integer
 * @minimum 0
 * @maximum 511
 */
export type Umask = number

/** One resource limit of setrlimit(2); 2^64 - 1 is RLIM_INFINITY. */
export interface Rlimit {
  readonly type: RlimitType
  readonly soft: Uint64
  readonly hard: Uint64
}

/** Names of setrlimit(2). */
export type RlimitType =
  | 'RLIMIT_AS'
  | 'RLIMIT_CORE'
  | 'RLIMIT_CPU'
  | 'RLIMIT_DATA'
  | 'RLIMIT_FSIZE'
  | 'RLIMIT_LOCKS'
  | 'RLIMIT_MEMLOCK'
  | 'RLIMIT_MSGQUEUE'
  | 'RLIMIT_NICE'
  | 'RLIMIT_NOFILE'
  | 'RLIMIT_NPROC'
  | 'RLIMIT_RSS'
  | 'RLIMIT_RTPRIO'
  | 'RLIMIT_RTTIME'
  | 'RLIMIT_SIGPENDING'
  | 'RLIMIT_STACK'

/** The sets of capabilities(7), each a list of names like `CAP_KILL`; an absent set is empty. */
export interface Capabilities {
  readonly effective?: readonly string[]
  readonly bounding?: readonly string[]
  readonly inheritable?: readonly string[]
  readonly permitted?: readonly string[]
  readonly ambient?: readonly string[]
}

/** sched_setattr(2). */
export interface Scheduler {
  readonly policy:
    | 'SCHED_OTHER'
    | 'SCHED_FIFO'
    | 'SCHED_RR'
    | 'SCHED_BATCH'
    | 'SCHED_ISO'
    | 'SCHED_IDLE'
    | 'SCHED_DEADLINE'
  /** -20 to 19, for SCHED_OTHER and SCHED_BATCH; without effect on the others. */
  readonly nice?: Int32
  /** 1 to 99, for SCHED_FIFO and SCHED_RR. */
  readonly priority?: Int32
  readonly flags?: readonly (
    | 'SCHED_FLAG_RESET_ON_FORK'
    | 'SCHED_FLAG_RECLAIM'
    | 'SCHED_FLAG_DL_OVERRUN'
    | 'SCHED_FLAG_KEEP_POLICY'
    | 'SCHED_FLAG_KEEP_PARAMS'
    | 'SCHED_FLAG_UTIL_CLAMP_MIN'
    | 'SCHED_FLAG_UTIL_CLAMP_MAX'
  )[]
  /** Nanoseconds of CPU time in a period, for SCHED_DEADLINE. */
  readonly runtime?: Uint64
  /** Nanoseconds, for SCHED_DEADLINE. */
  readonly deadline?: Uint64
  /** Nanoseconds, for SCHED_DEADLINE. */
  readonly period?: Uint64
}

/** ioprio_set(2). */
export interface IoPriority {
  readonly class: 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE'
  /** 0 (highest) to 7. */
  readonly priority?: Int32
}

/** CPU lists like `0-3,7`. */
export interface ExecCpuAffinity {
  /** Before the process enters the container's cgroup. */
  readonly initial?: string
  /** Afterwards. */
  readonly final?: string
}

/** Who runs what when: lifecycle.md names the points and their namespaces [POSIX-platform Hooks]. */
export interface Hooks {
  /** As createRuntime, before it; deprecated. */
  readonly prestart?: readonly Hook[]
  /** During create, in the runtime namespace. */
  readonly createRuntime?: readonly Hook[]
  /** During create, in the container namespace, path seen by the runtime. */
  readonly createContainer?: readonly Hook[]
  /** During start, in the container. */
  readonly startContainer?: readonly Hook[]
  /** After the process was started, in the runtime namespace. */
  readonly poststart?: readonly Hook[]
  /** After the container was deleted, in the runtime namespace. */
  readonly poststop?: readonly Hook[]
}

/** One command; the container's state is its stdin. */
export interface Hook {
  /** Absolute. */
  readonly path: string
  /** argv, the name first; absent: the path. */
  readonly args?: readonly string[]
  /** The whole environment; absent: the runtime's, or the container's for startContainer. */
  readonly env?: readonly string[]
  /** Seconds until the hook is killed; absent: no limit. */
  readonly timeout?: HookTimeout
}

/**
 * More than zero seconds.
 * @asType integer
 * @minimum 1
 * @maximum 2147483647
 */
export type HookTimeout = number
