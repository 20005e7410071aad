/** Specs that the runtime must accept, with values from all over what each field allows. */
import { encode } from '@crio-lxc/core/abi/bytes'
import { capabilityBit } from '@crio-lxc/core/oci/capabilities'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { clone } from './clone.ts'
import type { Random } from './random.ts'
import { raw } from './raw-json.ts'

/** A JSON value that may be changed freely. */
// biome-ignore lint/suspicious/noExplicitAny: mutations make wrong documents on purpose
export type Json = any

const names = [
  'a',
  'data',
  'x y',
  'ä',
  '日本',
  '.hidden',
  '...',
  'a:b',
  'a,b',
  '$HOME',
  '%s',
  '-',
  '~',
  '\\',
  '"',
  '\t',
]
const unsigned32 = [0, 1, 65534, 2 ** 31, 2 ** 32 - 2]
const unsigned64 = [0, 1, 2 ** 53 - 1, raw('9007199254740993'), raw('9223372036854775808'), raw('18446744073709551614')]
const infinity = raw('18446744073709551615')

export function validSpec(random: Random): Json {
  const spec = clone(defaultSpec) as Json
  spec.ociVersion = random.pick(['1.0.0', '1.0.2-dev', '1.2.0+b.1', '1.3.0', '1.99.0'])
  spec.root = { path: random.pick(['rootfs', '/a/b', '.', '../x', path(random)]), readonly: random.once(2) }
  spec.process = { ...spec.process, ...process(random) }
  if (random.once(2)) spec.hostname = random.pick(['h', 'x'.repeat(64), 'ä'.repeat(32)])
  if (random.once(4)) spec.domainname = random.pick(['d', 'y'.repeat(64)])
  if (random.once(3)) spec.annotations = Object.fromEntries(random.list(5, (index) => [`k.${index}`, text(random)]))
  if (random.once(4)) spec.mounts = []
  spec.mounts.push(...random.list(6, () => mount(random)))
  if (random.once(4)) spec.hooks = hooks(random)
  Object.assign(spec.linux, linux(random))
  if (random.once(3)) addUserNamespace(spec, random)
  if (random.once(8)) spec.windows = { anything: [{}] }
  if (random.once(8)) spec['x-unknown'] = { deep: [[[text(random)]]] }
  return spec
}

function process(random: Random): Json {
  return {
    terminal: random.once(3),
    consoleSize: { height: random.pick([0, 1, 65535]), width: random.pick([0, 80, 65535]) },
    cwd: random.pick(['/', path(random)]),
    args: [random.pick(['sh', '/bin/sh', './x', 'a/b', 'x'.repeat(3000)]), ...random.list(20, () => text(random))],
    env: [
      ...random.list(20, (index) => `${random.pick(['A', 'PATH', 'HOME', 'a b', `V${index}`])}=${text(random)}`),
      ...(random.once(2) ? ['PATH=/bin::/usr/bin:.'] : []),
    ],
    user: {
      uid: random.pick(unsigned32),
      gid: random.pick(unsigned32),
      umask: random.pick([0, 0o22, 0o777]),
      additionalGids: random.list(random.once(200) ? 2000 : 5, () => random.pick(unsigned32)),
    },
    rlimits: random.some(['AS', 'CORE', 'CPU', 'NOFILE', 'NPROC', 'STACK']).map((type) => ({
      type: `RLIMIT_${type}`,
      soft: random.pick([0, 1]),
      hard: random.pick([...unsigned64.slice(1), infinity]),
    })),
    capabilities: Object.fromEntries(
      random
        .some(['effective', 'bounding', 'inheritable', 'permitted', 'ambient'])
        .map((set) => [set, [...random.some(Object.keys(capabilityBit)), ...(random.once(5) ? ['CAP_NO_SUCH'] : [])]]),
    ),
    noNewPrivileges: random.once(2),
    oomScoreAdj: random.pick([-1000, 0, 1000]),
  }
}

function mount(random: Random): Json {
  const destination = random.pick([
    `/m${path(random)}/z`,
    `m${path(random)}/z`,
    '/proc/cpuinfo',
    '/dev/x',
    '/m/../n/./o//',
  ])
  const options = random.some(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'sync', 'rprivate', 'rslave', 'defaults'])
  if (destination.startsWith('/proc') || random.once(2))
    return {
      destination,
      type: random.pick(['bind', '', 'none']),
      source: path(random),
      options: ['rbind', ...options, ...random.some(['idmap', 'ridmap'])],
      // Beside the option one of the two is needed, and there is no user namespace.
      uidMappings: idMappings(random),
      gidMappings: idMappings(random),
    }
  const type = random.pick(['tmpfs', 'proc', 'sysfs', 'mqueue', 'cgroup', 'cgroup2', 'ext4'])
  return {
    destination,
    type,
    source:
      text(random)
        .slice(0, 100)
        .replace(/[\r\n]/g, '') || type,
    options,
  }
}

function idMappings(random: Random): Json {
  const size = random.pick([1, 65536, 2 ** 30])
  const one = { containerID: random.pick([0, 1, 2 ** 31 - 2]), hostID: random.pick([0, 1, 2 ** 31 - 2]), size }
  // Ids of their own, which the first one does not reach.
  const others = random.list(random.once(20) ? 100 : 2, (index) => ({
    containerID: 2 ** 32 - 2 - index,
    hostID: 2 ** 32 - 400 + index,
    size: 1,
  }))
  return [one, ...others]
}

function hooks(random: Random): Json {
  const points = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']
  const hook = () => ({
    path: path(random),
    args: random.list(3, () => text(random)),
    env: random.list(3, (index) => `E${index}=${text(random)}`),
    ...(random.once(2) && { timeout: random.pick([1, 2147483647]) }),
  })
  return Object.fromEntries(random.some(points).map((point) => [point, random.list(3, hook)]))
}

function linux(random: Random): Json {
  const time = random.pick(['none', 'new', 'joined'])
  return {
    namespaces: [
      ...['mount', 'network', 'ipc', 'uts'].map((type) => ({ type })),
      ...random.some(['pid', 'cgroup']).map((type) => (random.once(2) ? { type } : { type, path: '/proc/1/ns/x' })),
      ...(time === 'none' ? [] : [{ type: 'time', ...(time === 'joined' && { path: '/proc/1/ns/time' }) }]),
    ],
    timeOffsets: time === 'new' ? timeOffsets(random) : {},
    cgroupsPath: random.pick(['', '/a', 'a/b', `/${'x'.repeat(200)}`, '/a//./b', '/ä b']),
    maskedPaths: random.list(10, () => path(random)),
    readonlyPaths: random.list(10, () => path(random)),
    rootfsPropagation: random.pick(['', 'private', 'rslave', 'shared', 'runbindable']),
    sysctl: Object.fromEntries(
      random
        .some(['net.ipv4.ip_forward', 'net/ipv4/conf/eth0.1/x', 'kernel.shmmax', 'kernel.sem', 'fs.mqueue.msg_max'])
        .map((name) => [name, random.pick(['0', '', '1 2 3', 'x'.repeat(5000)])]),
    ),
    devices: random.list(5, (index) => ({
      path: random.pick([`/dev/d${index}`, `/d${path(random)}/${index}`, `/dev/../dev/./e${index}`]),
      type: random.pick(['c', 'b', 'u', 'p']),
      major: random.pick([0, 1, 4095]),
      minor: random.pick([0, 255, 256, 2 ** 20 - 1]),
      ...(random.once(2) && { fileMode: random.pick([0, 0o666, 0o170666]), uid: random.pick(unsigned32), gid: 5 }),
    })),
    resources: {
      // A rule that takes a part of an earlier wildcard back is refused: here every rule is about devices of its own.
      devices: random.list(6, (index) => ({
        allow: random.once(2),
        type: random.pick(['c', 'b']),
        major: index + 200,
        minor: random.pick([-1, 0, 2 ** 20 - 1]),
        access: random.pick(['', 'r', 'w', 'rwm', 'mwr', 'rr']),
      })),
      memory: {
        ...(random.once(2) && { limit: 2 ** 30, swap: random.pick([-1, 0, 2 ** 30, raw('9223372036854775807')]) }),
        reservation: random.pick([-1, 0, 1]),
        disableOOMKiller: false,
      },
      cpu: {
        shares: random.pick([0, 2, 262144]),
        quota: random.pick([-1, 0, 1000]),
        period: random.pick([0, 1000, raw('18446744073709551615')]),
        cpus: random.pick(['', '0-3,7']),
        idle: random.pick([0, 1]),
      },
      blockIO: {
        weight: random.pick([0, 10, 1000]),
        weightDevice: random.list(3, () => ({ major: 8, minor: random.pick(unsigned32), weight: 10 })),
        throttleReadBpsDevice: random.list(3, () => ({ major: 8, minor: 0, rate: random.pick(unsigned64) })),
      },
      hugepageLimits: random.list(2, () => ({ pageSize: '2MB', limit: random.pick([...unsigned64, infinity]) })),
      rdma: random.once(4) ? { mlx5_1: { hcaHandles: 0, hcaObjects: 2 ** 32 - 1 } } : {},
      pids: { limit: random.pick([-1, 0, 1, raw('9223372036854775807'), raw('-9223372036854775808')]) },
    },
    netDevices: Object.fromEntries(
      random.list(3, (index) => [`eth${index}`, random.pick([{}, { name: '' }, { name: `é-${index}` }])]),
    ),
    ...(random.once(2) && { seccomp: seccomp(random) }),
  }
}

function timeOffsets(random: Random): Json {
  const offset = () => ({
    ...(random.once(2) && { secs: random.pick([0, -1, raw('9223372036854775807'), raw('-9223372036854775808')]) }),
    ...(random.once(2) && { nanosecs: random.pick([0, 1, 999_999_999]) }),
  })
  return Object.fromEntries(random.some(['monotonic', 'boottime']).map((clock) => [clock, offset()]))
}

/** New, or by path with or without its mappings; every id of the process is in them. */
function addUserNamespace(spec: Json, random: Random): void {
  const path = random.once(3) ? '/proc/1/ns/x' : ''
  const size = random.pick([2 ** 31 + 1, 2 ** 32 - 1])
  const mappings = random.pick([
    [{ containerID: 0, hostID: 0, size: 2 ** 32 - 1 }],
    [
      { containerID: 1, hostID: 1, size: size - 1 },
      { containerID: 0, hostID: 0, size: 1 },
      ...(size < 2 ** 32 - 1 ? [{ containerID: size, hostID: size, size: 2 ** 32 - 1 - size }] : []),
    ],
  ])
  spec.linux.namespaces.push({ type: 'user', path })
  if (path && random.once(2)) return
  spec.linux.uidMappings = mappings
  spec.linux.gidMappings = mappings
}

function seccomp(random: Random): Json {
  const value = () => random.pick([...unsigned64, infinity])
  const syscalls = random.some(['read', 'openat', 'mount', 'clone', 'no_such_call', 'ioctl', 'socket']).map((name) => ({
    names: [name],
    ...random.pick([
      { action: 'SCMP_ACT_ALLOW' },
      { action: 'SCMP_ACT_ERRNO', errnoRet: random.pick([0, 1, 4094]) },
      { action: 'SCMP_ACT_LOG' },
      { action: 'SCMP_ACT_KILL_PROCESS' },
      { action: 'SCMP_ACT_NOTIFY' },
    ]),
    args: random.list(6, (index) => ({
      index,
      value: value(),
      valueTwo: value(),
      op: `SCMP_CMP_${random.pick(['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'])}`,
    })),
  }))
  return {
    defaultAction: random.pick(['SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW', 'SCMP_ACT_KILL', 'SCMP_ACT_TRAP']),
    architectures: random.some(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_AARCH64']),
    flags: random.some(['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC']),
    listenerPath: '/run/agent',
    listenerMetadata: text(random),
    syscalls,
  }
}

/** Absolute, in odd spellings, below 4096 bytes. */
function path(random: Random): string {
  const parts = Array.from({ length: 1 + random.below(random.once(30) ? 60 : 5) }, () =>
    random.pick([...names, ...(random.once(4) ? ['..', '.', '', 'x'.repeat(255)] : [])]),
  )
  const whole = `/${parts.join('/')}`
  return encode(whole).length < 4000 ? whole : '/long'
}

export function text(random: Random): string {
  return random.pick([
    '',
    'x',
    'a=b',
    'two\nlines',
    '\u2028',
    '\x1b[31m',
    '日本',
    '\ud83d\ude00',
    'x'.repeat(random.below(9000)),
    '$x',
  ])
}
