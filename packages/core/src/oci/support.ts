/**
 * What this runtime does with every field of config.json. A field nobody decided about does not compile. Read by
 * `checkSupport`, which refuses what is not supported; the words stand in the error.
 *
 * An object is decided field by field, or ignored as a whole; an array of objects by its items; a string (or an array of
 * them) with a fixed set of values can be decided by value. `meaningful: 'zero'` marks a number whose 0 asks for something: anywhere else
 * an empty value (0, false, "", [], {}) asks for nothing and is never refused.
 */
import type { Linux } from './linux.ts'
import type { Resources } from './resources.ts'
import type { Process, Spec } from './spec.ts'

export type Decision =
  | 'supported'
  /** Refused when it is used; why, as a clause. */
  | { readonly unsupported: string; readonly meaningful?: 'zero' }
  /** Supported where the host has this, refused elsewhere. */
  | { readonly needs: HostFeature }
  /** Not looked at; why that is right by the spec. */
  | { readonly ignored: string }

/** A part of the kernel that is there on some hosts only. */
export type HostFeature = 'AppArmor' | 'SELinux' | 'resctrl'

/** One decision per field of an object type. */
export type SupportTable<T> = { readonly [K in keyof T]-?: Support<NonNullable<T[K]>> }

/** The tuples keep a union whole: every value of an enumeration needs its decision. */
export type Support<T> = [T] extends [readonly (infer Item)[]]
  ? [Item] extends [object]
    ? Undone | { readonly each: SupportTable<Item> }
    : Decision | ByValue<Item>
  : [T] extends [string]
    ? Decision | ByValue<T>
    : [T] extends [object]
      ? string extends keyof T
        ? Decision
        : Undone | { readonly fields: SupportTable<T> }
      : Decision

/** Of a string, or of the strings of an array, when they have a fixed set of values. */
type ByValue<T> = [T] extends [string]
  ? string extends T
    ? never
    : { readonly values: { readonly [Value in Exclude<T, ''>]: Decision } }
  : never

/** A whole object cannot be 'supported' in one word: its fields are. */
type Undone = Exclude<Decision, 'supported'>

const hooks = { each: { path: 'supported', args: 'supported', env: 'supported', timeout: 'supported' } } as const
const otherPlatform = { ignored: 'config.md: the object of another platform' } as const
const windowsOnly = { ignored: 'config.md: only for Windows' } as const

const idMappings = { each: { containerID: 'supported', hostID: 'supported', size: 'supported' } } as const
const throttle = { each: { major: 'supported', minor: 'supported', rate: 'supported' } } as const

const seccompActions = {
  values: {
    SCMP_ACT_ALLOW: 'supported',
    SCMP_ACT_ERRNO: 'supported',
    SCMP_ACT_KILL: 'supported',
    SCMP_ACT_KILL_PROCESS: 'supported',
    SCMP_ACT_KILL_THREAD: 'supported',
    SCMP_ACT_LOG: 'supported',
    SCMP_ACT_NOTIFY: 'supported',
    SCMP_ACT_TRACE: 'supported',
    SCMP_ACT_TRAP: 'supported',
  },
} as const

const processSupport: SupportTable<Process> = {
  terminal: 'supported',
  consoleSize: { fields: { height: 'supported', width: 'supported' } },
  cwd: 'supported',
  env: 'supported',
  args: 'supported',
  commandLine: windowsOnly,
  user: {
    fields: {
      uid: 'supported',
      gid: 'supported',
      umask: 'supported',
      additionalGids: 'supported',
      username: windowsOnly,
    },
  },
  rlimits: { each: { type: 'supported', soft: 'supported', hard: 'supported' } },
  apparmorProfile: { needs: 'AppArmor' },
  capabilities: {
    fields: {
      effective: 'supported',
      bounding: 'supported',
      inheritable: 'supported',
      permitted: 'supported',
      ambient: 'supported',
    },
  },
  noNewPrivileges: 'supported',
  oomScoreAdj: 'supported',
  scheduler: {
    fields: {
      policy: {
        values: {
          SCHED_OTHER: 'supported',
          SCHED_FIFO: 'supported',
          SCHED_RR: 'supported',
          SCHED_BATCH: 'supported',
          SCHED_ISO: { unsupported: 'Linux has no such policy' },
          SCHED_IDLE: 'supported',
          SCHED_DEADLINE: 'supported',
        },
      },
      nice: 'supported',
      priority: 'supported',
      flags: 'supported',
      runtime: 'supported',
      deadline: 'supported',
      period: 'supported',
    },
  },
  selinuxLabel: { needs: 'SELinux' },
  ioPriority: { fields: { class: 'supported', priority: 'supported' } },
  execCPUAffinity: { fields: { initial: 'supported', final: 'supported' } },
}

const resourcesSupport: SupportTable<Resources> = {
  devices: {
    each: { allow: 'supported', type: 'supported', major: 'supported', minor: 'supported', access: 'supported' },
  },
  memory: {
    fields: {
      limit: 'supported',
      reservation: 'supported',
      swap: 'supported',
      kernel: { ignored: 'with a warning: Linux has no such limit any more' },
      kernelTCP: 'supported',
      swappiness: 'supported',
      disableOOMKiller: 'supported',
      useHierarchy: { ignored: 'memory.rst: since Linux 5.11 every cgroup counts what is below it' },
      checkBeforeUpdate: 'supported',
    },
  },
  cpu: {
    fields: {
      shares: 'supported',
      quota: 'supported',
      burst: 'supported',
      period: 'supported',
      realtimeRuntime: 'supported',
      realtimePeriod: 'supported',
      cpus: 'supported',
      mems: 'supported',
      idle: 'supported',
    },
  },
  pids: { fields: { limit: 'supported' } },
  blockIO: {
    fields: {
      weight: 'supported',
      leafWeight: 'supported',
      weightDevice: {
        each: { major: 'supported', minor: 'supported', weight: 'supported', leafWeight: 'supported' },
      },
      throttleReadBpsDevice: throttle,
      throttleWriteBpsDevice: throttle,
      throttleReadIOPSDevice: throttle,
      throttleWriteIOPSDevice: throttle,
    },
  },
  hugepageLimits: { each: { pageSize: 'supported', limit: 'supported' } },
  network: {
    fields: {
      classID: 'supported',
      priorities: { each: { name: 'supported', priority: 'supported' } },
    },
  },
  rdma: 'supported',
  unified: 'supported',
}

const linuxSupport: SupportTable<Linux> = {
  namespaces: {
    each: {
      type: {
        values: {
          pid: 'supported',
          network: 'supported',
          mount: 'supported',
          ipc: 'supported',
          uts: 'supported',
          cgroup: 'supported',
          user: 'supported',
          time: 'supported',
        },
      },
      path: 'supported',
    },
  },
  uidMappings: idMappings,
  gidMappings: idMappings,
  timeOffsets: 'supported',
  devices: {
    each: {
      type: 'supported',
      path: 'supported',
      major: 'supported',
      minor: 'supported',
      fileMode: 'supported',
      uid: 'supported',
      gid: 'supported',
    },
  },
  netDevices: 'supported',
  cgroupsPath: 'supported',
  resources: { fields: resourcesSupport },
  intelRdt: {
    fields: {
      closID: { needs: 'resctrl' },
      schemata: { needs: 'resctrl' },
      l3CacheSchema: { needs: 'resctrl' },
      memBwSchema: { needs: 'resctrl' },
      enableMonitoring: { needs: 'resctrl' },
      enableCMT: { needs: 'resctrl' },
      enableMBM: { needs: 'resctrl' },
    },
  },
  memoryPolicy: {
    fields: {
      mode: {
        values: {
          MPOL_DEFAULT: 'supported',
          MPOL_BIND: 'supported',
          MPOL_INTERLEAVE: 'supported',
          MPOL_WEIGHTED_INTERLEAVE: 'supported',
          MPOL_PREFERRED: 'supported',
          MPOL_PREFERRED_MANY: 'supported',
          MPOL_LOCAL: 'supported',
        },
      },
      nodes: 'supported',
      flags: {
        values: {
          MPOL_F_NUMA_BALANCING: 'supported',
          MPOL_F_RELATIVE_NODES: 'supported',
          MPOL_F_STATIC_NODES: 'supported',
        },
      },
    },
  },
  sysctl: 'supported',
  seccomp: {
    fields: {
      defaultAction: seccompActions,
      defaultErrnoRet: 'supported',
      architectures: {
        values: {
          SCMP_ARCH_AARCH64: 'supported',
          SCMP_ARCH_ARM: 'supported',
          SCMP_ARCH_LOONGARCH64: 'supported',
          SCMP_ARCH_M68K: 'supported',
          SCMP_ARCH_MIPS: 'supported',
          SCMP_ARCH_MIPS64: 'supported',
          SCMP_ARCH_MIPS64N32: 'supported',
          SCMP_ARCH_MIPSEL: 'supported',
          SCMP_ARCH_MIPSEL64: 'supported',
          SCMP_ARCH_MIPSEL64N32: 'supported',
          SCMP_ARCH_PARISC: 'supported',
          SCMP_ARCH_PARISC64: 'supported',
          SCMP_ARCH_PPC: 'supported',
          SCMP_ARCH_PPC64: 'supported',
          SCMP_ARCH_PPC64LE: 'supported',
          SCMP_ARCH_RISCV64: 'supported',
          SCMP_ARCH_S390: 'supported',
          SCMP_ARCH_S390X: 'supported',
          SCMP_ARCH_SH: 'supported',
          SCMP_ARCH_SHEB: 'supported',
          SCMP_ARCH_X32: 'supported',
          SCMP_ARCH_X86: 'supported',
          SCMP_ARCH_X86_64: 'supported',
        },
      },
      flags: {
        values: {
          SECCOMP_FILTER_FLAG_LOG: 'supported',
          SECCOMP_FILTER_FLAG_SPEC_ALLOW: 'supported',
          SECCOMP_FILTER_FLAG_TSYNC: 'supported',
          SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 'supported',
        },
      },
      listenerPath: 'supported',
      listenerMetadata: 'supported',
      syscalls: {
        each: {
          names: 'supported',
          action: seccompActions,
          errnoRet: 'supported',
          args: {
            each: {
              index: 'supported',
              value: 'supported',
              valueTwo: 'supported',
              op: {
                values: {
                  SCMP_CMP_EQ: 'supported',
                  SCMP_CMP_GE: 'supported',
                  SCMP_CMP_GT: 'supported',
                  SCMP_CMP_LE: 'supported',
                  SCMP_CMP_LT: 'supported',
                  SCMP_CMP_MASKED_EQ: 'supported',
                  SCMP_CMP_NE: 'supported',
                },
              },
            },
          },
        },
      },
    },
  },
  rootfsPropagation: 'supported',
  maskedPaths: 'supported',
  readonlyPaths: 'supported',
  mountLabel: { needs: 'SELinux' },
  personality: { fields: { domain: 'supported', flags: { unsupported: 'config-linux.md defines no flags' } } },
}

export const support: SupportTable<Spec> = {
  ociVersion: 'supported',
  root: { fields: { path: 'supported', readonly: 'supported' } },
  mounts: {
    each: {
      destination: 'supported',
      type: 'supported',
      source: 'supported',
      options: 'supported',
      uidMappings: idMappings,
      gidMappings: idMappings,
    },
  },
  process: { fields: processSupport },
  hostname: 'supported',
  domainname: 'supported',
  hooks: {
    fields: {
      prestart: hooks,
      createRuntime: hooks,
      createContainer: hooks,
      startContainer: hooks,
      poststart: hooks,
      poststop: hooks,
    },
  },
  annotations: 'supported',
  linux: { fields: linuxSupport },
  solaris: otherPlatform,
  windows: otherPlatform,
  vm: otherPlatform,
  zos: otherPlatform,
  freebsd: otherPlatform,
}
