/** Everything that create, exec and the hooks compute from a config.json, without the host: no file is opened. */
import { arm64, x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWUSER, MS_PRIVATE, MS_REC, MS_SLAVE } from '@crio-lxc/core/abi/constants'
import { resolveCgroupsPath } from '@crio-lxc/core/cgroup/cgroups-path'
import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import { planDevices } from '@crio-lxc/core/cgroup/plan/device-plan'
import { printDevicePlan } from '@crio-lxc/core/cgroup/plan/print-device-plan'
import { planDeviceWrites, planResourceWrites } from '@crio-lxc/core/cgroup/plan/resource-writes'
import { type HookPoint, hookPoints, hooksAfterCreate } from '@crio-lxc/core/hook/hook-points'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import { checkSupport } from '@crio-lxc/core/oci/check-support'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { JoinedNamespace } from '@crio-lxc/core/plan/joined-namespace'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { printPlan } from '@crio-lxc/core/plan/print'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { filterFlags, notifies, toFilter } from '@crio-lxc/core/seccomp/filter'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { planContainer } from '@crio-lxc/init/container-plan'
import { lacksHome } from '@crio-lxc/init/environment'
import { planExec } from '@crio-lxc/init/exec-plan'
import { planHook } from '@crio-lxc/init/hook-plan'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import { planNetDeviceProcess } from '@crio-lxc/init/net-device-plan'
import { planProcess } from '@crio-lxc/init/process-plan'
import { devicesOf } from '@crio-lxc/init/steps/devices'
import type { CgroupMounts, DetachedMount } from '@crio-lxc/init/steps/mounts'
import type { MovedDevices } from '@crio-lxc/init/steps/net-devices'
import type { ProcessInputs, SeccompFilter } from '@crio-lxc/init/steps/process'
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
}

/** Throws what the runtime would print, or a PlanError for a plan that is not what it should be. */
export function runPipeline(text: string | Uint8Array, { libseccomp, systemd, layout: host }: PipelineOptions): void {
  const spec = parseSpec(text)
  // A host that has everything: what it lacks would only be refused earlier.
  checkSupport(spec, () => true)
  const layout = layouts[host % layouts.length] as CgroupLayout
  const { path: cgroup } = resolveCgroupsPath(spec.linux?.cgroupsPath, { id: 'ID', systemd })
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
  const process = processOf(spec, libseccomp)
  const created = namespaces.created.has('cgroup')
  const netDevices = netDevicesOf(spec)
  if (netDevices) verify(planNetDeviceProcess({ arch: x64, namespace: 10, netDevices, report: 13 }))
  for (const arch of [x64, arm64]) {
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
        netDevices: userNamespaceOf(spec) ? undefined : netDevices,
        fifoDirectory: 22,
        report: 23,
        console: spec.process.terminal ? { socket: 24, plainLines: true } : undefined,
        cgroupNamespace: created ? undefined : 25,
        gate: { go: 26, hostTree: { fd: 27, stage: '/usr/libexec/crio-lxc/stage', rootfs: '/bundle/rootfs' } },
        preserved: 0,
      },
      cgroup: cgroupMounts(layout, created),
      userNamespace: userNamespaceOf(spec) && { staged: stagedMounts(spec) },
    })
    checkContainerPlan(container)
    verify(container)
    const open = { tasks: [11], unified: 12 }
    verify(
      planLaunch({
        arch,
        cgroup: open,
        report: 13,
        command: ['x'],
        stage: '/usr/libexec/crio-lxc/stage',
        staged: stagedMounts(spec),
      }),
    )
  }
  const exec = { cgroup: { tasks: [11], unified: 12 }, report: 13, acknowledge: 14, preserved: 0 }
  const mapped: JoinedNamespace[] = userNamespaceOf(spec) ? [{ type: 'user', flag: CLONE_NEWUSER, fd: 10 }] : []
  const entered = { namespaces: mapped, newKeyring: true }
  verify(planExec({ arch: x64, process, ...entered, fds: { ...exec, console: { socket: 15, plainLines: false } } }))
  hooksAfterCreate(spec.hooks)
  for (const hook of pointNames.flatMap((point) => spec.hooks?.[point] ?? []))
    verify(
      planHook({
        arch: x64,
        hook,
        cwd: '/',
        fds: { stdin: 3, stdout: 4, stderr: 5, report: 6, go: 7 },
        container: { ...exec, ...entered, process },
      }),
    )
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

function verify(plan: Plan): void {
  checkImage(plan)
  for (const { what, call } of printPlan(plan)) if (!what || !call) throw new Error('a step without words')
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
  return planProcess(process, {
    linux,
    gates: { seccomp: true, capabilities: true, apparmor: true },
    home: lacksHome(process) ? '/root' : undefined,
    capabilities: (1n << 41n) - 1n,
    filterOf: libseccomp ? compileSeccomp : smallFilter,
  })
}

function smallFilter(seccomp: NonNullable<NonNullable<Spec['linux']>['seccomp']>): SeccompFilter {
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
