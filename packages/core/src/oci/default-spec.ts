/** What `crio-lxc spec` prints: the same container that `runc spec` describes. */
import { OCI_VERSION } from './oci-version.ts'
import type { Spec } from './spec.ts'

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'] as const

const ofSys = ['nosuid', 'noexec', 'nodev', 'ro'] as const

/** A shell on a terminal in its own namespaces, in `rootfs` of the bundle, with few rights. */
export const defaultSpec: Spec = {
  ociVersion: OCI_VERSION,
  process: {
    terminal: true,
    user: { uid: 0, gid: 0 },
    args: ['sh'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
    cwd: '/',
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
      ambient: capabilities,
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'runc',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ofSys },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
  ],
  linux: {
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
    maskedPaths: [
      '/proc/acpi',
      '/proc/asound',
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/sys/firmware',
      '/proc/scsi',
    ],
    readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
  },
}

/** The same for a host with nothing but cgroup v2, where a cgroup namespace costs nothing and hides the host's tree. */
export const defaultSpecOnV2: Spec = {
  ...defaultSpec,
  linux: { ...defaultSpec.linux, namespaces: [...(defaultSpec.linux?.namespaces ?? []), { type: 'cgroup' }] },
}

/**
 * `spec` for a user who is not root, as `runc spec --rootless` has it: the user is root of a user namespace, keeps the
 * host's network, and may neither mount a sysfs nor set limits.
 */
export function rootlessSpec(spec: Spec, { uid, gid }: { readonly uid: number; readonly gid: number }): Spec {
  const { resources: _, namespaces = [], ...linux } = spec.linux ?? {}
  const hostSys = { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...ofSys] }
  const kept = (option: string): boolean => !/^[ug]id=/.test(option)
  return {
    ...spec,
    mounts: (spec.mounts ?? []).map((mount) => {
      if (mount.destination === '/sys') return hostSys
      return mount.options ? { ...mount, options: mount.options.filter(kept) } : mount
    }),
    linux: {
      uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
      ...linux,
      namespaces: [...namespaces.filter(({ type }) => type !== 'network'), { type: 'user' }],
    },
  }
}
