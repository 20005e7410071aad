/** The documents of the golden plans, each as its caller writes it, and the host it is for. */
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { Scope } from '@crio-lxc/core/host/cgroup/plan/scope'
import { defaultSpec, defaultSpecOnV2 } from '@crio-lxc/core/oci/default-spec'
import type { Linux, Namespace } from '@crio-lxc/core/oci/linux'
import type { Resources } from '@crio-lxc/core/oci/resources'
import type { Capabilities, Mount, Process, Spec } from '@crio-lxc/core/oci/spec'

export interface Golden {
  readonly spec: Spec
  readonly layout: CgroupLayout
  readonly scope?: Scope
}

const mountPoint = '/sys/fs/cgroup'
const controllers = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc']
const v1Controllers = ['cpuset', 'cpu', 'blkio', 'memory', 'devices', 'freezer', 'hugetlb', 'pids']

export const v2: CgroupLayout = {
  mode: 'v2',
  hierarchies: [{ name: 'unified', mountPoint, version: 2, controllers }],
}
export const v1: CgroupLayout = {
  mode: 'v1',
  hierarchies: [
    ...v1Controllers.map(
      (name) => ({ name, mountPoint: `${mountPoint}/${name}`, version: 1, controllers: [name] }) as const,
    ),
    { name: 'systemd', mountPoint: `${mountPoint}/systemd`, version: 1, controllers: ['name=systemd'] },
  ],
}
const hybrid: CgroupLayout = {
  mode: 'hybrid',
  hierarchies: [
    ...v1.hierarchies,
    { name: 'unified', mountPoint: `${mountPoint}/unified`, version: 2, controllers: [] },
  ],
}

const MiB = 1 << 20
const denyAll = [{ allow: false, access: 'rwm' }] as const
const limits: Resources = {
  devices: denyAll,
  memory: { limit: 256 * MiB, swap: 512 * MiB, reservation: 128 * MiB },
  cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0' },
  pids: { limit: 2048 },
  hugepageLimits: [{ pageSize: '2MB', limit: 4 * MiB }],
  blockIO: { weight: 500, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: MiB }] },
}

type Change = Partial<Omit<Spec, 'linux' | 'process'>> & {
  readonly linux?: Linux
  readonly process?: Partial<Process>
}

/** The default document without a terminal, but for what changes. */
export function specWith({ linux, process, ...others }: Change = {}, base: Spec = defaultSpec): Spec {
  return {
    ...base,
    ...others,
    process: { ...base.process, terminal: false, ...process },
    linux: { ...base.linux, ...linux },
  }
}

export function namespaces(...types: readonly Namespace['type'][]): Namespace[] {
  return types.map((type) => ({ type }))
}

export function setsOf(...names: readonly string[]): Capabilities {
  return { bounding: names, effective: names, permitted: names }
}

function bind(destination: string, ...options: readonly string[]): Mount {
  return { destination, type: 'bind', source: `/var/lib/files${destination}`, options: ['rbind', ...options] }
}

/** What podman 4 and Docker give a container that asks for nothing. */
const usual = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP']
  .concat(['SETUID', 'SYS_CHROOT'])
  .map((name) => `CAP_${name}`)

const seccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [{ names: ['read', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW' }],
} as const

const podman = specWith({
  root: { path: 'rootfs', readonly: false },
  hostname: '0123456789ab',
  process: {
    capabilities: setsOf(...usual),
    noNewPrivileges: false,
    rlimits: [
      { type: 'RLIMIT_NOFILE', hard: 1_048_576, soft: 1_048_576 },
      { type: 'RLIMIT_NPROC', hard: 4096, soft: 4096 },
    ],
    user: { uid: 0, gid: 0, umask: 0o022, additionalGids: [1, 2] },
  },
  mounts: [
    ...(defaultSpec.mounts ?? []),
    bind('/etc/resolv.conf', 'rprivate'),
    bind('/run/.containerenv', 'rprivate', 'nosuid', 'noexec', 'nodev'),
  ],
  linux: { resources: limits, seccomp, sysctl: { 'net.ipv4.ping_group_range': '0 0' } },
})

const joined = (...types: readonly Namespace['type'][]): Namespace[] =>
  types.map((type) => ({ type, path: `/var/run/${type}ns/0f` }))

const sandbox = specWith({
  hostname: 'web-0',
  process: { args: ['/pause'], capabilities: {}, oomScoreAdj: -998, user: { uid: 65_535, gid: 65_535 } },
  mounts: [...(defaultSpec.mounts ?? []), bind('/etc/resolv.conf', 'ro', 'nosuid', 'nodev', 'noexec')],
  linux: {
    namespaces: [...namespaces('pid', 'mount'), ...joined('network', 'ipc', 'uts')],
    resources: { devices: denyAll, cpu: { shares: 2 } },
    sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
  },
})

const { hostname: _, ...withoutName } = podman
const pod = specWith(
  {
    process: { oomScoreAdj: 1000, cwd: '/app', args: ['/app/server', '--port', '80'] },
    mounts: [
      ...(defaultSpec.mounts ?? []),
      bind('/var/run/secrets/kubernetes.io/serviceaccount', 'rprivate', 'ro'),
      bind('/data', 'rshared'),
    ],
    linux: {
      namespaces: [...namespaces('pid', 'mount'), ...joined('network', 'ipc', 'uts')],
      devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }],
    },
  },
  withoutName,
)

const docker = specWith({
  hostname: 'fedcba987654',
  root: { path: '/var/lib/docker/overlay2/0f/merged' },
  process: {
    terminal: true,
    consoleSize: { height: 24, width: 80 },
    noNewPrivileges: false,
    capabilities: setsOf(...usual, 'CAP_AUDIT_WRITE', 'CAP_MKNOD', 'CAP_NET_RAW'),
    apparmorProfile: 'docker-default',
  },
  linux: {
    namespaces: namespaces('mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'),
    resources: {
      devices: [
        ...denyAll,
        { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
        { allow: true, type: 'c', major: 10, minor: 200, access: 'rwm' },
      ],
    },
    seccomp,
  },
  hooks: { prestart: [{ path: '/usr/bin/dockerd', args: ['libnetwork-setkey', '-exec-root=/var/run/docker'] }] },
})

const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }]

const userNamespace = specWith(
  {
    linux: {
      namespaces: namespaces('mount', 'network', 'uts', 'pid', 'ipc', 'cgroup', 'user', 'time'),
      uidMappings: ids,
      gidMappings: ids,
      timeOffsets: { boottime: { secs: 5 } },
      netDevices: { eth0: { name: 'lan' } },
    },
    mounts: [...(defaultSpec.mounts ?? []), bind('/data', 'rprivate')],
  },
  defaultSpecOnV2,
)

const hooks = specWith({
  hooks: {
    createRuntime: [{ path: '/bin/network', args: ['network', 'add'], timeout: 5 }],
    createContainer: [{ path: '/bin/in-namespaces' }],
    startContainer: [{ path: '/bin/in-container', env: ['A=b'] }],
    poststart: [{ path: '/bin/started' }],
    poststop: [{ path: '/bin/stopped' }],
  },
})

/** Names of the kind that a careless runtime would take for a line, an option, a path or an escape. */
const hostile = specWith({
  hostname: 'a b',
  process: { args: ['/bin/$(reboot)', '"; x', 'line\nbreak'], cwd: '/../..', env: ['PATH=/bin:.', 'A=\u001b[2J'] },
  mounts: [
    ...(defaultSpec.mounts ?? []),
    { destination: '/../../etc', type: 'tmpfs', source: '-o\nlxc.hook', options: ['mode=0777', 'size=1,2'] },
    bind('/sys/../srv', 'ro'),
    bind('/a/./b//c', 'ro'),
  ],
  linux: {
    maskedPaths: ['/proc/../etc/shadow', '/a b', '/a b'],
    readonlyPaths: ['/proc/sys/../..'],
    devices: [{ path: '/dev/../dev/x', type: 'c', major: 1, minor: 3 }],
    sysctl: { 'kernel/shm_rmid_forced': '1\n2' },
  },
})

export const goldens: Readonly<Record<string, Golden>> = {
  default: { spec: specWith(), layout: v2 },
  'default-hybrid': { spec: specWith(), layout: hybrid },
  'cgroup-namespace': { spec: specWith({}, defaultSpecOnV2), layout: v2 },
  terminal: { spec: specWith({ process: { terminal: true } }), layout: v2 },
  podman: { spec: podman, layout: v2 },
  'cri-sandbox': { spec: sandbox, layout: v2 },
  'cri-pod': { spec: pod, layout: v2 },
  docker: { spec: docker, layout: v1 },
  'user-namespace': { spec: userNamespace, layout: v2 },
  hooks: { spec: hooks, layout: v2 },
  'limits-v1': { spec: specWith({ linux: { resources: limits } }), layout: v1 },
  'limits-v2': { spec: specWith({ linux: { resources: limits } }), layout: v2 },
  systemd: {
    spec: specWith({
      linux: { resources: limits },
      annotations: { 'org.systemd.property.TimeoutStopUSec': 'uint64 5000000' },
    }),
    layout: v2,
    scope: { unit: 'crio-0f.scope', slice: 'kubepods.slice', path: '/kubepods.slice/crio-0f.scope' },
  },
  hostile: { spec: hostile, layout: v2 },
}
