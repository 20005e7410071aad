/** Everything that create, exec and the hooks compute from a config.json, without the host: no file is opened. */
import { arm64, x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_NEWUSER } from '@crio-lxc/core/abi/constants'
import { resolveCgroupsPath } from '@crio-lxc/core/cgroup/cgroups-path'
import type { CgroupLayout } from '@crio-lxc/core/cgroup/plan/cgroup-layout'
import { printDevicePlan } from '@crio-lxc/core/cgroup/plan/print-device-plan'
import { type HookPoint, hookPoints, hooksAfterCreate } from '@crio-lxc/core/hook/hook-points'
import { checkSupport } from '@crio-lxc/core/oci/check-support'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { JoinedNamespace } from '@crio-lxc/core/plan/joined-namespace'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { printPlan } from '@crio-lxc/core/plan/print'
import { filterFlags, notifies, toFilter } from '@crio-lxc/core/seccomp/filter'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { planExec } from '@crio-lxc/init/exec-plan'
import { planHook } from '@crio-lxc/init/hook-plan'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import type { SeccompFilter } from '@crio-lxc/init/steps/process'
import { type AllPlans, planAll } from '../../packages/runtime-cli/src/creation/plan/plan-all.ts'
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
  const { path: cgroup, scope } = resolveCgroupsPath(spec.linux?.cgroupsPath, { id: 'ID', systemd })
  const seccomp = spec.linux?.seccomp && (libseccomp ? compileSeccomp : smallFilter)(spec.linux.seccomp)
  for (const { options = [] } of spec.mounts ?? []) checkOptions(options, parseMountOptions(options).data)
  const filterOf = (): SeccompFilter => seccomp as SeccompFilter
  const [{ process, netDevices }] = [x64, arm64].map((arch) => {
    const plans = planAll({ ...creationInputs(spec, layout), arch, scope, filterOf })
    checkWrites(cgroup, (plans.unit ?? plans.resources).writes)
    if (plans.resources.devices) printDevicePlan(plans.resources.devices)
    checkLxcConfig(plans.lxcConfig)
    checkContainerPlan(plans.container)
    for (const plan of [plans.launch, plans.wait, plans.container]) verify(plan)
    return plans
  }) as [AllPlans, AllPlans]
  if (netDevices) verify(netDevices)
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

function smallFilter(seccomp: NonNullable<NonNullable<Spec['linux']>['seccomp']>): SeccompFilter {
  toFilter(seccomp)
  return { program: new Uint8Array(8), flags: filterFlags(seccomp), notifies: notifies(seccomp) }
}

function verify(plan: Plan): void {
  checkImage(plan)
  for (const { what, call } of printPlan(plan)) if (!what || !call) throw new Error('a step without words')
}
