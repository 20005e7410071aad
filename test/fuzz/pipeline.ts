/** Everything that create, exec and the hooks compute from a config.json, without the host: no file is opened. */
import { type Arch, arm64, x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWUSER, MS_PRIVATE, MS_REC, MS_SLAVE } from '@crio-lxc/core/abi/constants'
import { resolveCgroupsPath } from '@crio-lxc/core/cgroup/cgroups-path'
import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import { planDevices } from '@crio-lxc/core/cgroup/plan/device-plan'
import { printDevicePlan } from '@crio-lxc/core/cgroup/plan/print-device-plan'
import { planDeviceWrites, planResourceWrites } from '@crio-lxc/core/cgroup/plan/resource-writes'
import { planAnnotatedProperties } from '@crio-lxc/core/cgroup/plan/unit-annotations'
import { type HookPoint, hookPoints, hooksAfterCreate } from '@crio-lxc/core/hook/hook-points'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import { grantableCapabilities } from '@crio-lxc/core/oci/capabilities'
import { checkSupport } from '@crio-lxc/core/oci/check-support'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { compile } from '@crio-lxc/core/plan/compile'
import type { JoinedNamespace } from '@crio-lxc/core/plan/container-entry'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { printPlan } from '@crio-lxc/core/plan/print'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { filterFlags, notifies, toFilter } from '@crio-lxc/core/seccomp/filter'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { planContainer } from '@crio-lxc/init/container-plan'
import { environmentOf, executableCandidates, lacksHome } from '@crio-lxc/init/environment'
import { planExec } from '@crio-lxc/init/exec-plan'
import { planHook } from '@crio-lxc/init/hook-plan'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import { planNetDeviceProcess } from '@crio-lxc/init/net-device-plan'
import { devicesOf } from '@crio-lxc/init/steps/devices'
import type { CgroupMounts, DetachedMount } from '@crio-lxc/init/steps/mounts'
import type { MovedDevices } from '@crio-lxc/init/steps/net-devices'
import type { ProcessInputs } from '@crio-lxc/init/steps/process'
import { planLaunch } from '@crio-lxc/start-monitor/launch-plan'
import { lxcConfig } from '@crio-lxc/start-monitor/lxc-config'
import { checkContainerPlan, checkImage, checkLxcConfig, checkOptions, checkWrites } from './check-plan.ts'

const mountPoint = '/sys/fs/cgroup'
const both = ['pids', 'memory', 'cpu', 'cpuset', 'hugetlb', 'rdma']
const v1 = {
  name: 'all',
  mountPoint: `${mountPoint}/all`,
  version: 1,
  controllers: [...both, 'devices', 'blkio'],
} as const
const v2 = { name: 'unified', mountPoint: `${mountPoint}/unified`, version: 2 } as const
const layouts: readonly CgroupLayout[] = [
  { mode: 'v1', hierarchies: [v1] },
  { mode: 'hybrid', hierarchies: [v1, { ...v2, controllers: [] }] },
  { mode: 'v2', hierarchies: [{ ...v2, mountPoint, controllers: [...both, 'io'] }] },
]

const pointNames = Object.keys(hookPoints) as HookPoint[]

export interface PipelineOptions {
  /** libseccomp compiles the filter; without it a filter of one instruction takes its place. */
  readonly libseccomp: boolean
  readonly systemd: boolean
  /** Which of the hosts. */
  readonly layout: number
  /** Every plan in words. */
  readonly printed: boolean
  /** Plans for each processor, and all of them checked: false where that was done before, on Node. */
  readonly whole: boolean
}

export function layoutOf(host: number): CgroupLayout {
  return layouts[host % layouts.length] as CgroupLayout
}

/** The bytes of all plans. Throws what the runtime would print, or a PlanError for a plan that is not what it should be. */
export function runPipeline(text: string | Uint8Array, options: PipelineOptions): number {
  const spec = parseSpec(text)
  // A host that has everything: what it lacks would only be refused earlier.
  checkSupport(spec, () => true)
  const layout = layoutOf(options.layout)
  planCgroup(spec, layout, options)
  const process = processOf(spec, options.libseccomp)
  if (options.whole) planInit({ arch: arm64, spec, process, layout }, options)
  return (
    planNetDevices(spec, options) +
    planInit({ arch: x64, spec, process, layout }, options) +
    planOthers(spec, process, options)
  )
}

/** Of `exec --process`, in a container without a user namespace. */
export function planProcess(process: Process): number {
  const inputs = processOf({ ociVersion: '1.0.0', root: { path: '/' }, process }, false)
  const fds = { ...execFds, console: { socket: 15, plainLines: true } }
  const entry = { namespaces: [], cgroup: { tasks: [11], unified: 12 }, newKeyring: true }
  return compile(planExec({ arch: x64, process: inputs, entry, fds }), 9).length
}

/** The cgroup, what is written there, and liblxc's config. */
function planCgroup(spec: Spec, layout: CgroupLayout, { systemd }: PipelineOptions): void {
  const { path: cgroup } = resolveCgroupsPath(spec.linux?.cgroupsPath, { id: 'ID', systemd })
  if (systemd) planAnnotatedProperties(spec.annotations)
  const resources = spec.linux?.resources ?? {}
  const devices = planDevices(resources, layout)
  checkWrites(cgroup, [
    ...planDeviceWrites(devices),
    ...planResourceWrites(resources, { layout, read: () => undefined }),
  ])
  printDevicePlan(devices)
  const namespaces = namespacesOf(spec)
  checkLxcConfig(
    lxcConfig({
      libexec: '/usr/libexec/crio-lxc',
      newNamespaces: [...namespaces.created],
      sharedNamespaces: new Map(
        [...namespaces.all].filter((type) => !namespaces.created.has(type)).map((type) => [type, 50]),
      ),
      idMappings: userNamespaceOf(spec),
      plan: 7,
      log: 8,
      logLevel: 'WARN',
    }),
  )
}

interface Init {
  readonly arch: Arch
  readonly spec: Spec
  readonly process: ProcessInputs
  readonly layout: CgroupLayout
}

/** The plans of init, and of what starts it. */
function planInit({ arch, spec, process, layout }: Init, options: PipelineOptions): number {
  const namespaces = namespacesOf(spec)
  const created = namespaces.created.has('cgroup')
  const container = planContainer({
    arch,
    spec,
    process,
    namespaces,
    newKeyring: true,
    fds: {
      rootfs: 20,
      mounts: detachedMounts(spec),
      fromTree: new Map(),
      devices: new Map(
        (devicesOf(spec.linux?.devices ?? [], spec.mounts ?? [])?.devices ?? [])
          .slice(0, 2)
          .map(({ path }, index) => [path, 30 + index]),
      ),
      nullDevice: 21,
      netDevices: userNamespaceOf(spec) ? undefined : netDevicesOf(spec),
      fifoDirectory: 22,
      report: 23,
      console: spec.process.terminal ? { socket: 24, plainLines: true } : undefined,
      stdio: userNamespaceOf(spec) ? [] : [{ fd: 0, name: 'null', major: 1, minor: 3, access: 0 }],
      cgroupNamespace: created ? undefined : 25,
      gate: { go: 26, hostTree: { fd: 27, stage, rootfs: '/bundle/rootfs' } },
      preserved: 0,
    },
    cgroup: cgroupMounts(layout, created),
    userNamespace: userNamespaceOf(spec) && { staged: stagedMounts(spec) },
  })
  if (options.whole) checkContainerPlan(container)
  const cgroup = { tasks: [11], unified: 12 }
  const launch = planLaunch({ arch, cgroup, report: 13, command: ['x'], stage, staged: stagedMounts(spec) })
  return bytesOf(container, options) + bytesOf(launch, options)
}

const stage = '/usr/libexec/crio-lxc/stage'
const execFds = { report: 13, acknowledge: 14, preserved: 0 }

/** The plans of exec and of the hooks. */
function planOthers(spec: Spec, process: ProcessInputs, options: PipelineOptions): number {
  const namespaces: JoinedNamespace[] = userNamespaceOf(spec) ? [{ type: 'user', flag: CLONE_NEWUSER, fd: 10 }] : []
  const entry = { namespaces, cgroup: { tasks: [11], unified: 12 }, newKeyring: true }
  const fds = { ...execFds, console: { socket: 15, plainLines: false } }
  let bytes = bytesOf(planExec({ arch: x64, process, entry, fds }), options)
  hooksAfterCreate(spec.hooks)
  for (const hook of pointNames.flatMap((point) => spec.hooks?.[point] ?? [])) {
    const ends = { stdin: 3, stdout: 4, stderr: 5, report: 6, go: 7 }
    const container = { ...entry, process }
    bytes += bytesOf(planHook({ arch: x64, hook, cwd: '/', fds: ends, container }), options)
  }
  return bytes
}

function planNetDevices(spec: Spec, options: PipelineOptions): number {
  const netDevices = netDevicesOf(spec)
  return netDevices ? bytesOf(planNetDeviceProcess({ arch: x64, namespace: 10, netDevices, report: 13 }), options) : 0
}

/** The ids of config.json: what is joined has them too, for the plans' sake. */
function userNamespaceOf({ linux }: Spec): IdMappings | undefined {
  const { uidMappings: uids = [], gidMappings: gids = [], namespaces = [] } = linux ?? {}
  return namespaces.some(({ type }) => type === 'user') ? { uids, gids } : undefined
}

/** As if the host had them all, each with an address. */
function netDevicesOf({ linux }: Spec): MovedDevices | undefined {
  const devices = Object.entries(linux?.netDevices ?? {}).map(([name, { name: renamed }], index) => ({
    name,
    target: renamed || name,
    index,
    addresses: [{ family: 2, prefixLength: 24, attributes: [{ type: 1, value: new Uint8Array([192, 0, 2, 1]) }] }],
  }))
  return devices.length > 0 ? { devices, socket: 28 } : undefined
}

function stagedMounts(spec: Spec): StagedMount[] {
  const mounts = [...detachedMounts(spec).values()]
  return [
    { fd: 20, directory: true, propagation: [MS_SLAVE | MS_REC] },
    ...mounts.map((mount) => ({ ...mount, propagation: [MS_PRIVATE] })),
    { fd: 30, directory: false, propagation: [MS_PRIVATE], file: { of: 0, name: '0' } },
  ]
}

function bytesOf(plan: Plan, { whole, printed }: PipelineOptions): number {
  const bytes = compile(plan, 9)
  if (whole) checkImage(plan, bytes)
  if (whole || printed)
    for (const { what, call } of printPlan(plan)) if (!what || !call) throw new Error('a step without words')
  return bytes.length
}

function namespacesOf({ linux }: Spec): { all: ReadonlySet<NamespaceType>; created: ReadonlySet<NamespaceType> } {
  const all = linux?.namespaces ?? []
  return {
    all: new Set(all.map(({ type }) => type)),
    created: new Set(all.filter(({ path }) => !path).map(({ type }) => type)),
  }
}

/** Of a runtime that may grant every capability, and of an image without a passwd. */
function processOf({ process, linux }: Spec, libseccomp: boolean): ProcessInputs {
  const environment = environmentOf(process, lacksHome(process) ? '/root' : undefined)
  const { capabilities } = process
  const sets = capabilities && grantableCapabilities(capabilities, (1n << 41n) - 1n).sets
  return {
    process: { ...process, ...(sets && { capabilities: sets }) },
    environment,
    candidates: executableCandidates(process.args[0] ?? '', environment),
    seccomp: linux?.seccomp && (libseccomp ? compileSeccomp(linux.seccomp) : smallFilter(linux.seccomp)),
    personality: linux?.personality,
    memoryPolicy: linux?.memoryPolicy,
    capabilities: true,
  }
}

function smallFilter(seccomp: NonNullable<NonNullable<Spec['linux']>['seccomp']>): ProcessInputs['seccomp'] {
  toFilter(seccomp)
  return { program: new Uint8Array(8), flags: filterFlags(seccomp), notifies: notifies(seccomp) }
}

/** What create would have opened for the mounts that are binds. */
function detachedMounts({ mounts = [] }: Spec): ReadonlyMap<number, DetachedMount> {
  const detached = new Map<number, DetachedMount>()
  for (const [index, mount] of mounts.entries()) {
    const { options = [] } = mount
    const { copyUp, data } = parseMountOptions(options)
    checkOptions(options, data)
    if (isBind(mount) || copyUp) detached.set(index, { fd: 1000 + index, directory: index % 2 === 0 })
  }
  return detached
}

function cgroupMounts({ mode, hierarchies }: CgroupLayout, created: boolean): CgroupMounts {
  const version = mode === 'v2' ? 2 : 1
  return {
    version,
    hierarchies: hierarchies
      .filter((hierarchy) => hierarchy.version === version)
      .map(({ name }) => ({ name, data: name, ...(!created && { bind: 40 }) })),
    links: [['devices', 'all']],
  }
}
