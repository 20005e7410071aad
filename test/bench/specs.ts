/**
 * The specs whose create the budget compares: what `runc spec` writes, what podman writes, what CRI-O writes for a
 * container of a pod. Only paths and limits are the benchmark's own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, copyBundle, podmanProfile } from './bench-bundle.ts'

const MiB = 1 << 20

/** What podman 4.3 and CRI-O give a container that asks for nothing; CRI-O adds none. */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID']
  .concat(['SETPCAP', 'SETUID', 'SYS_CHROOT'])
  .map((name) => `CAP_${name}`)

const maskedPaths = [
  ...['acpi', 'kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats', 'sched_debug', 'scsi'].map(inProc),
  ...['/sys/firmware', '/sys/fs/selinux', '/sys/dev/block', '/sys/devices/virtual/powercap'],
]
const readonlyPaths = ['asound', 'bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map(inProc)

const noexec = ['nosuid', 'noexec', 'nodev']
const ownMounts = [
  { destination: '/proc', type: 'proc', source: 'proc', options: noexec },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...noexec, 'ro'] },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: noexec },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...noexec, 'relatime', 'ro'] },
]

/** `podman run --memory 256m --cpus 1 --pids-limit 2048`. */
export function podmanBundle(bundle: string): string {
  return copyBundle(bundle, 'podman', (spec) => {
    const binds = ['/run/.containerenv', '/etc/hostname', '/etc/hosts', '/etc/resolv.conf', '/dev/shm']
    contain(spec, `${bundle}-podman-files`, binds)
    Object.assign(spec.linux, { seccomp: podmanProfile(), sysctl: { 'net.ipv4.ping_group_range': '0 0' } })
    spec.process.rlimits.push({ type: 'RLIMIT_NPROC', hard: 4096, soft: 4096 })
    spec.linux.resources = {
      devices: [{ allow: false, access: 'rwm' }],
      memory: { limit: 256 * MiB, swap: 512 * MiB },
      cpu: { quota: 100_000, period: 100_000 },
      pids: { limit: 2048 },
    }
  })
}

/** A container of a pod: the sandbox's network, IPC and host name, the kubelet's mounts, requests and limits. */
export function podBundle(bundle: string, sandbox: number): string {
  return copyBundle(bundle, 'pod', (spec) => {
    const kubelet = ['/dev/termination-log', '/var/run/secrets/kubernetes.io/serviceaccount', '/etc/config', '/data']
    const binds = ['/etc/resolv.conf', '/etc/hostname', '/etc/hosts', '/run/.containerenv', '/dev/shm', ...kubelet]
    contain(spec, `${bundle}-pod-files`, binds)
    const joined = ['network', 'ipc', 'uts'].map((type) => ({ type, path: `/proc/${sandbox}/ns/${fileOf(type)}` }))
    spec.linux.namespaces = [{ type: 'pid' }, { type: 'mount' }, ...joined]
    delete spec.hostname
    spec.process.oomScoreAdj = 1000
    Object.assign(spec.linux, { seccomp: podmanProfile() })
    spec.linux.resources = {
      devices: [{ allow: false, access: 'rwm' }],
      memory: { limit: 256 * MiB, swap: 256 * MiB },
      cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0', mems: '0' },
      pids: { limit: 1024 },
    }
    spec.linux.devices = [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }]
    spec.annotations = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`io.kubernetes.cri-o.Annotation${index}`, 'x'.repeat(60)]),
    )
  })
}

/** A process that holds the namespaces of a pod, as its pause container does. */
export async function startSandbox(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('unshare', ['--net', '--ipc', '--uts', 'sleep', '1000000'], { stdio: 'ignore', detached: true })
  const { pid } = child
  if (pid === undefined) throw new Error('cannot start unshare')
  const namespace = (of: number | 'self') => readlinkSync(`/proc/${of}/ns/uts`)
  for (let i = 0; i < 500 && namespace(pid) === namespace('self'); i++) await sleep(10)
  if (namespace(pid) === namespace('self')) throw new Error('unshare has made no namespaces within five seconds')
  return Object.assign(child, { pid })
}

/** What the two have in common. Of binds, those with a dot or below /etc and the log are files. */
function contain(spec: Config, sources: string, binds: readonly string[]): void {
  const set = Object.fromEntries(['bounding', 'effective', 'permitted'].map((name) => [name, capabilities]))
  spec.process.capabilities = set
  spec.root.readonly = false
  spec.mounts = [...ownMounts, ...binds.map((destination) => bind(sources, destination))]
  Object.assign(spec.linux, { maskedPaths, readonlyPaths })
}

function bind(sources: string, destination: string): Config {
  const source = join(sources, destination)
  const directory = ['/dev/shm', '/data', '/etc/config'].includes(destination) || destination.endsWith('account')
  mkdirSync(directory ? source : dirname(source), { recursive: true })
  if (!directory) writeFileSync(source, '127.0.0.1 localhost\n')
  const readOnly = destination.endsWith('account') || destination === '/etc/config'
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', readOnly ? 'ro' : 'rw'] }
}

function inProc(name: string): string {
  return `/proc/${name}`
}

function fileOf(type: string): string {
  return type === 'network' ? 'net' : type
}
