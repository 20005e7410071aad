/**
 * What this runtime does with every field of config.json. A field nobody decided about does not compile. Read by
 * `checkSupport`, which refuses what is not supported; the words stand in the error.
 *
 * An object is decided field by field, or ignored as a whole; an array of objects by its items; a string with a fixed
 * set of values can be decided by value. `meaningful: 'zero'` marks a number whose 0 asks for something: anywhere else
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
export type HostFeature = 'AppArmor' | 'SELinux'

/** One decision per field of an object type. */
export type SupportTable<T> = { readonly [K in keyof T]-?: Support<NonNullable<T[K]>> }

/** The tuples keep a union whole: every value of an enumeration needs its decision. */
export type Support<T> = [T] extends [readonly (infer Item)[]]
  ? Item extends object
    ? Undone | { readonly each: SupportTable<Item> }
    : Decision
  : [T] extends [string]
    ? Decision | (string extends T ? never : { readonly values: { readonly [Value in Exclude<T, ''>]: Decision } })
    : [T] extends [object]
      ? string extends keyof T
        ? Decision
        : Undone | { readonly fields: SupportTable<T> }
      : Decision

/** A whole object cannot be 'supported' in one word: its fields are. */
type Undone = Exclude<Decision, 'supported'>

const hooks = { each: { path: 'supported', args: 'supported', env: 'supported', timeout: 'supported' } } as const
const otherPlatform = { ignored: 'config.md: the object of another platform' } as const
const windowsOnly = { ignored: 'config.md: only for Windows' } as const
const idmappedMount = { unsupported: 'idmapped mounts are not made' } as const
const userNamespace = { unsupported: 'user namespaces are not made' } as const
const timeNamespace = { unsupported: 'time namespaces are not made' } as const
const memory = { unsupported: 'memory limits are not applied' } as const
const cpu = { unsupported: 'CPU limits are not applied' } as const
const blockIo = { unsupported: 'block IO limits are not applied' } as const

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
      policy: 'supported',
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
      limit: memory,
      reservation: memory,
      swap: memory,
      kernel: memory,
      kernelTCP: memory,
      swappiness: { ...memory, meaningful: 'zero' },
      disableOOMKiller: memory,
      useHierarchy: memory,
      checkBeforeUpdate: memory,
    },
  },
  cpu: {
    fields: {
      shares: cpu,
      quota: cpu,
      burst: cpu,
      period: cpu,
      realtimeRuntime: cpu,
      realtimePeriod: cpu,
      cpus: cpu,
      mems: cpu,
      idle: cpu,
    },
  },
  pids: { fields: { limit: 'supported' } },
  blockIO: {
    fields: {
      weight: blockIo,
      leafWeight: blockIo,
      weightDevice: blockIo,
      throttleReadBpsDevice: blockIo,
      throttleWriteBpsDevice: blockIo,
      throttleReadIOPSDevice: blockIo,
      throttleWriteIOPSDevice: blockIo,
    },
  },
  hugepageLimits: { unsupported: 'huge page limits are not applied' },
  network: {
    fields: {
      classID: { unsupported: 'network classes are not set' },
      priorities: { unsupported: 'network priorities are not set' },
    },
  },
  rdma: { unsupported: 'RDMA limits are not applied' },
  unified: { unsupported: 'cgroup v2 files are not written as given' },
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
          user: userNamespace,
          time: timeNamespace,
        },
      },
      path: 'supported',
    },
  },
  uidMappings: userNamespace,
  gidMappings: userNamespace,
  timeOffsets: timeNamespace,
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
  netDevices: { unsupported: 'network devices are not moved' },
  cgroupsPath: 'supported',
  resources: { fields: resourcesSupport },
  intelRdt: { unsupported: 'resctrl groups are not made' },
  memoryPolicy: { fields: { mode: 'supported', nodes: 'supported', flags: 'supported' } },
  sysctl: 'supported',
  seccomp: {
    fields: {
      defaultAction: 'supported',
      defaultErrnoRet: 'supported',
      architectures: 'supported',
      flags: 'supported',
      listenerPath: 'supported',
      listenerMetadata: 'supported',
      syscalls: {
        each: {
          names: 'supported',
          action: 'supported',
          errnoRet: 'supported',
          args: { each: { index: 'supported', value: 'supported', valueTwo: 'supported', op: 'supported' } },
        },
      },
    },
  },
  rootfsPropagation: 'supported',
  maskedPaths: 'supported',
  readonlyPaths: 'supported',
  mountLabel: { unsupported: 'SELinux labels are not set' },
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
      uidMappings: idmappedMount,
      gidMappings: idmappedMount,
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
