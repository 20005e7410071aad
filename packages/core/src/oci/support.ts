/**
 * What this runtime does with every field of config.json. A field nobody decided about does not compile. Read by
 * `checkSupport`, which refuses what is not supported; the words stand in the error.
 *
 * An object is decided field by field, or ignored as a whole; an array of objects by its items; a string (or an array of
 * them) with a fixed set of values can be decided by value. `meaningful: 'zero'` marks a number whose 0 asks for something: anywhere else
 * an empty value (0, false, "", [], {}) asks for nothing and is never refused.
 */
import type { SupportTable } from './decision.ts'
import type { Linux } from './linux.ts'
import type { Resources } from './resources.ts'
import type { Process, Spec } from './spec.ts'
import {
  memoryPolicyFlags,
  memoryPolicyModes,
  namespaceTypes,
  schedulerPolicies,
  seccompActions,
  seccompArchitectures,
  seccompFlags,
  seccompOperators,
} from './words.ts'

const hooks = { each: { path: 'supported', args: 'supported', env: 'supported', timeout: 'supported' } } as const
const otherPlatform = { ignored: 'config.md: the object of another platform' } as const
const windowsOnly = { ignored: 'config.md: only for Windows' } as const

const idMappings = { each: { containerID: 'supported', hostID: 'supported', size: 'supported' } } as const
const throttle = { each: { major: 'supported', minor: 'supported', rate: 'supported' } } as const

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
      policy: { values: schedulerPolicies },
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
      type: { values: namespaceTypes },
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
      mode: { values: memoryPolicyModes },
      nodes: 'supported',
      flags: { values: memoryPolicyFlags },
    },
  },
  sysctl: 'supported',
  seccomp: {
    fields: {
      defaultAction: { values: seccompActions },
      defaultErrnoRet: 'supported',
      architectures: { values: seccompArchitectures },
      flags: { values: seccompFlags },
      listenerPath: 'supported',
      listenerMetadata: 'supported',
      syscalls: {
        each: {
          names: 'supported',
          action: { values: seccompActions },
          errnoRet: 'supported',
          args: {
            each: {
              index: 'supported',
              value: 'supported',
              valueTwo: 'supported',
              op: { values: seccompOperators },
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
