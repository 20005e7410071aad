/** Conditions on the machine and the runtime; tests whose conditions do not hold are skipped with the reason printed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { queryPrograms } from '@crio-lxc/core/sys/bpf'
import { beforeEach } from 'vitest'
import { arm64Target } from '../../scripts/engine-target.ts'
import allowedSkips from '../allowed-skips.json' with { type: 'json' }
import { productNode } from './node.ts'
import { cgroupMounts, commandLines } from './proc.ts'
import { isRunc, runtimeName, runtimePath } from './runtime.ts'

/** Each need: undefined when it holds, else why it does not. */
const needs = {
  root: () => (process.getuid?.() === 0 ? undefined : 'the suite does not run as root'),
  'own-runtime': () => (isRunc ? `the test is about crio-lxc, the runtime under test is ${runtimeName}` : undefined),
  'cgroup-v1': () => (/ - cgroup /.test(mountinfo()) ? undefined : 'no v1 hierarchy is mounted'),
  'cgroup-v2': () => (/ - cgroup2 /.test(mountinfo()) ? undefined : 'no cgroup2 file system is mounted'),
  'cgroup-v2-only': () => (existsSync('/sys/fs/cgroup/cgroup.procs') ? undefined : 'there are v1 hierarchies'),
  'cgroup-v1-pids': () =>
    / - cgroup \S+ \S*\bpids\b/.test(mountinfo()) ? undefined : 'the pids controller is not a v1 hierarchy',
  'cgroup-bpf': () => cgroupBpfProblem(),
  apparmor: () => apparmorProblem(),
  systemd: () => (existsSync('/run/systemd/private') ? undefined : 'systemd does not manage the machine'),
  'dbus-daemon': () => (existsSync('/usr/bin/dbus-daemon') ? undefined : 'there is no dbus-daemon'),
  selinux: () => (hostHas('SELinux') ? undefined : 'the machine has no SELinux'),
  'idmapped-mounts': () =>
    isRunc && !runcFeatures().linux.mountExtensions?.idmap?.enabled ? 'this runc has no idmapped mounts' : undefined,
  // The fault injector knows its registers.
  x64: () => (process.arch === 'x64' ? undefined : `the machine is ${process.arch}`),
  bfq: () => bfqProblem(),
  'kernel-log': () => kernelLogProblem(),
  'node-22': () =>
    productNode() === undefined ? 'Node is older, and its optional npm package is not installed' : undefined,
  zsh: () => (existsSync('/usr/bin/zsh') ? undefined : 'there is no zsh'),
  fish: () => (existsSync('/usr/bin/fish') ? undefined : 'there is no fish'),
  runc: () => (existsSync('/usr/sbin/runc') || existsSync('/usr/bin/runc') ? undefined : 'there is no runc'),
  docker: () => (existsSync('/usr/sbin/dockerd') ? undefined : 'there is no dockerd'),
  cc: () => (existsSync('/usr/bin/cc') ? undefined : 'there is no C compiler'),
  'arm64-packages': () => arm64PackagesProblem(),
} as const satisfies Record<string, () => string | undefined>

export type Need = keyof typeof needs

/** The list of skips that are known and accepted; any other one fails the run. */
export const allowed: Readonly<Record<string, string>> = allowedSkips

/** Skips every test of the surrounding describe (or file) unless all needs hold; says whether they do. */
export function requires(...names: readonly Need[]): boolean {
  const reasons = names.flatMap((name) => {
    const reason = needs[name]()
    return reason === undefined ? [] : [`needs ${name}: ${reason}`]
  })
  if (reasons.length === 0) return true
  console.log(`skipped, ${reasons.join('; ')}`)
  beforeEach((context) => {
    context.skip(reasons.join('; '))
  })
  return false
}

interface RuncFeatures {
  readonly linux: { readonly mountExtensions?: { readonly idmap?: { readonly enabled?: boolean } } }
}

function runcFeatures(): RuncFeatures {
  return JSON.parse(execFileSync(runtimePath, ['features'], { encoding: 'utf8' }))
}

/** CONFIG_CGROUP_BPF, by asking for the programs of the root cgroup. */
function cgroupBpfProblem(): string | undefined {
  const root = cgroupMounts()['']
  if (root === undefined) return 'no cgroup2 file system is mounted'
  const fd = openSync(root, 'r')
  try {
    queryPrograms(fd)
    return undefined
  } catch (error) {
    return `the kernel attaches no programs to cgroups: ${(error as Error).message}`
  } finally {
    closeSync(fd)
  }
}

/** musl and libseccomp for arm64, which the build fetches when it has not got them yet. */
function arm64PackagesProblem(): string | undefined {
  try {
    arm64Target()
    return undefined
  } catch (error) {
    return `Debian's packages for arm64 cannot be had: ${(error as Error).message.split('\n')[0]}`
  }
}

/** A loop device that can be put under bfq. */
function bfqProblem(): string | undefined {
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices'
  const schedulers = readdirSync('/sys/block').map((disk) => readIfAny(`/sys/block/${disk}/queue/scheduler`))
  return schedulers.some((offered) => offered.includes('bfq')) ? undefined : 'the kernel has no bfq scheduler'
}

/** Whether audit records come to the kernel's log, and can be read there. */
function kernelLogProblem(): string | undefined {
  if (!existsSync('/proc/self/loginuid')) return 'the kernel has no audit'
  if ([...commandLines().values()].some((line) => /^\S*auditd\b/.test(line))) return 'auditd takes the records'
  const { status, stderr } = spawnSync('dmesg', { encoding: 'utf8' })
  return status === 0 ? undefined : `the kernel's log cannot be read: ${stderr}`
}

function readIfAny(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function apparmorProblem(): string | undefined {
  if (!hostHas('AppArmor')) return 'AppArmor is off in the kernel'
  return existsSync('/sbin/apparmor_parser') ? undefined : 'there is no apparmor_parser'
}

function mountinfo(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}
