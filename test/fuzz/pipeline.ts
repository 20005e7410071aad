/** Everything that create, exec and the hooks compute from a config.json, without the host: no file is opened. */
import { type Arch, arm64, x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWUSER } from '@crio-lxc/core/abi/constants'
import { resolveCgroupsPath } from '@crio-lxc/core/host/cgroup/cgroups-path'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { printDevicePlan } from '@crio-lxc/core/host/cgroup/plan/print-device-plan'
import { checkSupport } from '@crio-lxc/core/oci/check-support'
import { type HookPoint, hookPoints, hooksAfterCreate } from '@crio-lxc/core/oci/hook-points'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { compile } from '@crio-lxc/core/plan/compile'
import type { JoinedNamespace } from '@crio-lxc/core/plan/container-entry'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { printPlan } from '@crio-lxc/core/plan/print'
import { filterFlags, notifies, toFilter } from '@crio-lxc/core/seccomp/filter'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { lacksHome } from '@crio-lxc/init/environment'
import { planExec } from '@crio-lxc/init/exec-plan'
import { planHook } from '@crio-lxc/init/hook-plan'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import { type PlannedProcess, planProcess } from '@crio-lxc/init/process-plan'
import type { SeccompFilter } from '@crio-lxc/init/steps/seccomp'
import { planAll } from '../../packages/runtime-cli/src/creation/plan/plan-all.ts'
import { creationInputs, userNamespaceOf } from '../support/creation-inputs.ts'
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

export function layoutOf(host: number): CgroupLayout {
  return layouts[host % layouts.length] as CgroupLayout
}

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

/** The bytes of all plans. Throws what the runtime would print, or a PlanError for a plan that is not what it should be. */
export function runPipeline(text: string | Uint8Array, options: PipelineOptions): number {
  const spec = parseSpec(text)
  // A host that has everything: what it lacks would only be refused earlier.
  checkSupport(spec, () => true)
  const seccomp = spec.linux?.seccomp && (options.libseccomp ? compileSeccomp : smallFilter)(spec.linux.seccomp)
  for (const { options = [] } of spec.mounts ?? []) checkOptions(options, parseMountOptions(options).data)
  const filterOf = (): SeccompFilter => seccomp as SeccompFilter
  if (options.whole) planCreation(spec, { arch: arm64, filterOf }, options)
  const { process, bytes } = planCreation(spec, { arch: x64, filterOf }, options)
  return bytes + planOthers(spec, process, options)
}

/** Of `exec --process`, in a container without a user namespace. */
export function planProcessOf(process: Process): number {
  const inputs = planProcess(process, {
    linux: undefined,
    featureGates: everyGate,
    home: lacksHome(process) ? '/root' : undefined,
    capabilities: (1n << 41n) - 1n,
    filterOf: () => smallFilter({ defaultAction: 'SCMP_ACT_ALLOW' }),
  })
  const fds = { ...execFds, console: { socket: 15, plainLines: true } }
  const entry = { namespaces: [], cgroup: { tasks: [11], unified: 12 }, newKeyring: true }
  return compile(planExec({ arch: x64, process: inputs, entry, fds }), 9).length
}

/** What create plans, its cgroup and liblxc's config included. */
function planCreation(
  spec: Spec,
  { arch, filterOf }: { readonly arch: Arch; readonly filterOf: () => SeccompFilter },
  options: PipelineOptions,
): { readonly process: PlannedProcess; readonly bytes: number } {
  const { systemd } = options
  const layout = layoutOf(options.layout)
  const { path: cgroup, scope } = resolveCgroupsPath(spec.linux?.cgroupsPath, { id: 'ID', systemd })
  const plans = planAll({ ...creationInputs(spec, layout), arch, scope, filterOf })
  checkWrites(cgroup, (plans.unit ?? plans.resources).writes)
  if (plans.resources.devices) printDevicePlan(plans.resources.devices)
  checkLxcConfig(plans.lxcConfig)
  if (options.whole) checkContainerPlan(plans.container)
  const all = [plans.launch, plans.wait, plans.container, ...(plans.netDevices ? [plans.netDevices] : [])]
  return { process: plans.process, bytes: all.reduce((sum, plan) => sum + bytesOf(plan, options), 0) }
}

const everyGate = { seccomp: true, capabilities: true, apparmor: true, cgroupDevices: true }
const execFds = { report: 13, acknowledge: 14, preserved: [] }

/** The plans of exec and of the hooks. */
function planOthers(spec: Spec, process: PlannedProcess, options: PipelineOptions): number {
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

function smallFilter(seccomp: NonNullable<NonNullable<Spec['linux']>['seccomp']>): SeccompFilter {
  toFilter(seccomp)
  return { program: new Uint8Array(8), flags: filterFlags(seccomp), notifies: notifies(seccomp) }
}

function bytesOf(plan: Plan, { whole, printed }: PipelineOptions): number {
  const bytes = compile(plan, 9)
  if (whole) checkImage(plan, bytes)
  if (whole || printed)
    for (const { what, call } of printPlan(plan)) if (!what || !call) throw new Error('a step without words')
  return bytes.length
}
