/** What a person asks of a plan first: what the container is, before how it is made. PURE. */
import type { IdMapping, NamespaceType } from '@crio-lxc/core/oci/linux'
import type { Capabilities, Process, Spec } from '@crio-lxc/core/oci/spec'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import type { PlannedProcess } from '@crio-lxc/init/process-plan'
import type { AllInputs, AllPlans } from '../creation/plan/plan-all.ts'
import { type Section, Table } from './sections.ts'

/** In the order of the runtime-spec. */
const types: readonly NamespaceType[] = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']

export function summary(inputs: AllInputs, { process }: Pick<AllPlans, 'process'>): Section[] {
  const { spec } = inputs
  return [
    { title: 'container', lines: new Table(containerRows(spec)) },
    { title: 'namespaces', lines: new Table(namespaceRows(inputs)) },
    { title: 'mounts', lines: new Table(mountRows(spec)) },
    { title: 'paths', lines: new Table(pathRows(spec)) },
    ...processSummary(process, spec),
  ]
}

/** Of exec as well. */
export function processSummary(planned: PlannedProcess, { linux }: Pick<Spec, 'linux'>): Section[] {
  const { process } = planned
  return [
    { title: 'process', lines: new Table(processRows(process)) },
    { title: 'user', lines: [userLine(process)] },
    { title: 'capabilities', lines: capabilityLines(planned) },
    { title: 'seccomp', lines: [seccompLine(planned, linux?.seccomp)] },
    {
      title: 'rlimits: soft, hard',
      lines: new Table((process.rlimits ?? []).map(({ type, soft, hard }) => [type, String(soft), String(hard)])),
    },
  ]
}

/** One word of a line: what would end it, or be taken for two, is quoted. */
function word(text: string): string {
  return /^[^\s"]+$/.test(text) ? text : JSON.stringify(text)
}

/** Rows of what there is. */
function present(rows: readonly (readonly [name: string, value: string | undefined])[]): string[][] {
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
}

function given(text: string | undefined): string | undefined {
  return text ? word(text) : undefined
}

function containerRows({ root, hostname, domainname, linux }: Spec): string[][] {
  const sysctl = Object.entries(linux?.sysctl ?? {}).map(([name, value]) => [
    'sysctl',
    `${word(name)} = ${JSON.stringify(value)}`,
  ])
  const devices = Object.entries(linux?.netDevices ?? {}).map(([name, { name: renamed }]) => [
    'network device',
    `${word(name)}${renamed ? ` as ${word(renamed)}` : ''}`,
  ])
  return [
    ...present([
      ['rootfs', `${word(root.path)}${root.readonly ? ', read-only' : ''}`],
      ['propagation', given(linux?.rootfsPropagation)],
      ['hostname', given(hostname)],
      ['domainname', given(domainname)],
      ['label of mounts', given(linux?.mountLabel)],
    ]),
    ...sysctl,
    ...devices,
  ]
}

function namespaceRows({ spec, namespaces: { created, joined }, userNamespace }: AllInputs): string[][] {
  const pathOf = (type: NamespaceType): string =>
    word(spec.linux?.namespaces?.find((each) => each.type === type)?.path ?? '')
  const entered = types.filter((type) => joined.has(type)).map((type) => ['joined', `${type} ${pathOf(type)}`])
  const others = types.filter((type) => !created.has(type) && !joined.has(type))
  const mapped = userNamespace
    ? [
        ['uids', idsText(userNamespace.uids)],
        ['gids', idsText(userNamespace.gids)],
      ]
    : []
  return [
    ['new', types.filter((type) => created.has(type)).join(' ')],
    ...entered,
    ["the runtime's", others.join(' ')],
    ...mapped,
  ].filter(([, value]) => value !== '')
}

function idsText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} is ${hostID} (${size})`).join(', ')
}

const propagation = /^r?(private|shared|slave|unbindable)$/

function mountRows({ mounts = [] }: Spec): string[][] {
  if (mounts.length === 0) return []
  const rows = mounts.map(({ destination, type, source, options = [] }) => {
    const changes = parseMountOptions(options).propagation.length > 0
    const others = options.filter((option) => !propagation.test(option))
    return [
      word(destination),
      word(type || 'bind'),
      word(source || '-'),
      others.map(word).join(',') || '-',
      changes ? options.filter((option) => propagation.test(option)).join(',') : '-',
    ]
  })
  return [['destination', 'type', 'source', 'options', 'propagation'], ...rows]
}

function pathRows({ linux = {} }: Spec): string[][] {
  const { maskedPaths = [], readonlyPaths = [], devices = [] } = linux
  const nodes = devices.map(({ path, type, major = 0, minor = 0, fileMode }) => {
    const numbers = type === 'p' ? '' : ` ${major}:${minor}`
    return `${word(path)} (${type}${numbers}${fileMode === undefined ? '' : `, 0${fileMode.toString(8)}`})`
  })
  return [
    ['masked', maskedPaths.map(word).join(' ')],
    ['read-only', readonlyPaths.map(word).join(' ')],
    ['devices', nodes.join(' ')],
  ].filter(([, value]) => value !== '')
}

function processRows(process: Process): string[][] {
  const { args, cwd, terminal, consoleSize: size, oomScoreAdj, scheduler, apparmorProfile, selinuxLabel } = process
  const pixels = size && ` of ${size.width} columns and ${size.height} rows`
  return present([
    ['args', JSON.stringify(args)],
    ['cwd', word(cwd)],
    ['terminal', terminal ? `yes${pixels ?? ''}` : undefined],
    ['oom score', oomScoreAdj === undefined ? undefined : String(oomScoreAdj)],
    ['scheduler', scheduler?.policy],
    ['AppArmor', given(apparmorProfile)],
    ['SELinux', given(selinuxLabel)],
  ])
}

function userLine({ user: { uid, gid, additionalGids = [], umask }, noNewPrivileges }: Process): string {
  const groups = additionalGids.length > 0 ? `, groups ${additionalGids.join(' ')}` : ''
  const mask = `umask 0${(umask ?? 0o022).toString(8).padStart(3, '0')}`
  return `uid ${uid}, gid ${gid}${groups}, ${mask}, ${noNewPrivileges ? 'no new privileges' : 'may gain privileges by execve'}`
}

const setNames = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const

/** Sets that are the same stand together. */
function capabilityLines({ process, capabilities, leftOut }: PlannedProcess): string[] {
  if (!capabilities) return ["the runtime's: --capabilities is off"]
  const sets = new Map<string, string[]>()
  for (const name of setNames) {
    const text = textOf(process.capabilities, name)
    sets.set(text, [...(sets.get(text) ?? []), name])
  }
  const left = leftOut.length > 0 ? [`cannot be granted: ${leftOut.join(', ')}`] : []
  return [...[...sets].map(([text, names]) => `${names.join(', ')}: ${text}`), ...left]
}

/** The kernel keeps ambient within permitted and inheritable. */
function textOf(sets: Capabilities = {}, name: (typeof setNames)[number]): string {
  const isKept = (capability: string): boolean =>
    name !== 'ambient' || [sets.permitted, sets.inheritable].every((set) => set?.includes(capability))
  return [...new Set(sets[name] ?? [])].filter(isKept).sort().join(' ') || 'none'
}

function seccompLine({ seccomp: filter }: PlannedProcess, seccomp: NonNullable<Spec['linux']>['seccomp']): string {
  if (!seccomp) return 'no filter'
  if (!filter) return 'no filter: --seccomp is off'
  const { defaultAction, defaultErrnoRet, syscalls = [] } = seccomp
  const calls = new Set(syscalls.flatMap(({ names }) => names)).size
  const errno = defaultErrnoRet === undefined ? '' : ` ${defaultErrnoRet}`
  const agent = filter.notifies ? ', an agent is asked' : ''
  return `${defaultAction}${errno} but for ${syscalls.length} rules of ${calls} system calls, ${filter.program.length / 8} instructions${agent}`
}
