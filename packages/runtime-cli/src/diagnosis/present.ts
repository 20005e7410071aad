/** What the kernel says of a container now. */
import { decode } from '@crio-lxc/core/abi/bytes'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { capabilityNames } from '@crio-lxc/core/oci/capabilities'
import { readFile, readLink, readText } from '@crio-lxc/core/sys/files'
import { namespaceFiles } from '@crio-lxc/start-monitor/lxc-config'
import { hostLine } from './host-text.ts'
import { presentRlimits, presentSysctls } from './in-container.ts'
import type { Facts } from './inspection.ts'

/** What is looked at only where config.json asks for it: there is no end of limits, nodes and parameters. */
export interface Wanted {
  readonly rlimits: readonly string[]
  readonly sysctls: readonly string[]
}

/** Of its first process, and of its cgroup if it has one; what cannot be read is left out, as the process may be ending. */
export function presentFacts(pid: number, cgroup: string | undefined, { rlimits, sysctls }: Wanted): Facts {
  const read = (name: string): string => orEmpty(() => readText(`/proc/${pid}/${name}`))
  const mounts = read('mountinfo').split('\n').filter(Boolean)
  const label = read('attr/current').replace(/[\0\n]+$/, '')
  return {
    args: orEmpty(() => decode(readFile(`/proc/${pid}/cmdline`)))
      .split('\0')
      .slice(0, -1),
    ...statusFacts(read('status')),
    ...Object.fromEntries(
      Object.entries(namespaceFiles).map(([type, file]) => [`namespaces.${type}`, namespaceOf(pid, file)]),
    ),
    cgroupsPath: cgroupIn(read('cgroup')),
    ...(cgroup !== undefined && limitsOf(cgroup)),
    selinuxLabel: label.includes(':') ? label : undefined,
    apparmorProfile: label.includes(':') ? undefined : label || undefined,
    oomScoreAdj: read('oom_score_adj').trim() || undefined,
    root: rootMount(mounts),
    mounts: String(mounts.length),
    ...prefixed('rlimits', presentRlimits(read('limits'), rlimits)),
    ...prefixed('sysctl', unlessGone(() => presentSysctls(pid, sysctls)) ?? {}),
  }
}

function prefixed(prefix: string, facts: Readonly<Record<string, string>>): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [`${prefix}.${name}`, value]))
}

function unlessGone<Result>(look: () => Result): Result | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

function orEmpty(look: () => string): string {
  return unlessGone(look) ?? ''
}

/** Whether it is the one that this program is in, as good as the host's. */
function namespaceOf(pid: number, file: string): string | undefined {
  const link = orEmpty(() => readLink(`/proc/${pid}/ns/${file}`))
  if (link === '') return undefined
  return link === orEmpty(() => readLink(`/proc/self/ns/${file}`)) ? "the host's" : link
}

/** Of the mount that is its root directory. */
function rootMount(mounts: readonly string[]): string | undefined {
  const line = mounts.find((line) => line.split(' ')[4] === '/')
  const type = line?.split(' - ', 2)[1]?.split(' ')[0]
  return line && `${type}${line.split(' ')[5]?.split(',').includes('ro') ? ', read-only' : ''}`
}

const seccompModes = ['none', 'strict', 'filter']

/** proc_pid_status(5). PURE. */
export function statusFacts(text: string): Facts {
  const field = (name: string): string | undefined => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(text)?.[1]
  const id = (name: string): string | undefined => field(name)?.split('\t')[1]
  const mode = seccompModes[Number(field('Seccomp'))]
  const filters = field('Seccomp_filters')
  return {
    user: text === '' ? undefined : `${id('Uid')}:${id('Gid')} on the host`,
    'capabilities.effective': namesOf(field('CapEff')),
    'capabilities.bounding': namesOf(field('CapBnd')),
    noNewPrivileges: field('NoNewPrivs')?.replace('1', 'true').replace('0', 'false'),
    seccomp: mode === 'filter' ? `${filters ?? 'some'} filter(s)` : mode,
  }
}

function namesOf(hex: string | undefined): readonly string[] | undefined {
  return hex === undefined ? undefined : capabilityNames(BigInt(`0x${hex}`))
}

/** Of proc_pid_cgroup(5): that of v2, or of the first hierarchy of v1, whose `:` may stand in a path as well. PURE. */
export function cgroupIn(text: string): string | undefined {
  return (/^0::(.*)$/m.exec(text) ?? /^\d+:[^:\n]*:(.*)$/m.exec(text))?.[1]
}

/** By the version of their hierarchy: the controller and its files. */
const limitFiles: Readonly<Record<string, Readonly<Record<1 | 2, readonly [string, ...string[]]>>>> = {
  'memory.limit': { 1: ['memory', 'memory.limit_in_bytes'], 2: ['memory', 'memory.max'] },
  'cpu.quota': { 1: ['cpu', 'cpu.cfs_quota_us', 'cpu.cfs_period_us'], 2: ['cpu', 'cpu.max'] },
  'cpu.cpus': { 1: ['cpuset', 'cpuset.cpus'], 2: ['cpuset', 'cpuset.cpus'] },
  'pids.limit': { 1: ['pids', 'pids.max'], 2: ['pids', 'pids.max'] },
}

function limitsOf(cgroup: string): Facts {
  const { hierarchies } = cgroupLayout()
  const limits = Object.entries(limitFiles).map(([name, byVersion]) => {
    const found = hierarchies.find(({ version, controllers }) => controllers.includes(byVersion[version][0]))
    if (found === undefined) return [name, undefined] as const
    const [, ...files] = byVersion[found.version]
    const texts = files.map((file) => hostLine(`${found.mountPoint}${cgroup}/${file}`))
    return [name, limitText(texts.join(' '))] as const
  })
  return Object.fromEntries(limits)
}

/** `max`, -1 and what v1 has in their place are no limit; v2 has quota and period in one file. PURE. */
export function limitText(text: string): string | undefined {
  const [value = '', period] = text.split(' ')
  if (value === '') return undefined
  if (value === 'max' || value === '-1' || Number(value) >= 2 ** 62) return 'no limit'
  return period === undefined ? value : `${value}/${period}`
}
