/** debug plan --exec: what exec would do in the container of a bundle, which does not have to be there. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { subCgroups } from '@crio-lxc/core/host/cgroup/exec-cgroup'
import { checkMappedUser } from '@crio-lxc/core/oci/id-mappings'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import type { Process } from '@crio-lxc/core/oci/spec'
import type { JoinedNamespace } from '@crio-lxc/core/plan/container-entry'
import { namesOf } from '@crio-lxc/core/plan/names'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { type PrintedStep, printPlan } from '@crio-lxc/core/plan/print'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import type { PlannedProcess } from '@crio-lxc/init/process-plan'
import { agentOf } from '../caller/seccomp-listener.ts'
import type { ExecOptions } from '../entering/exec-options.ts'
import { execProcess } from '../entering/exec-process.ts'
import { planExecTask } from '../entering/plan/exec-task.ts'
import { processInputs } from '../entering/process-inputs.ts'
import { checkLabels, checkTerminal, withSize } from '../entering/refuse.ts'
import { printsToTerminal } from '../foreground/terminal-output.ts'
import { isOwnNamespace, namespaceKinds } from '../namespaces/namespaces.ts'
import type { OpenNamespaces } from '../namespaces/plan/open-namespaces.ts'
import type { Preview } from '../plan-text/print-all.ts'
import { type Section, sectionText } from '../plan-text/sections.ts'
import { numberedSteps } from '../plan-text/step-sections.ts'
import { processSummary } from '../plan-text/summary.ts'
import type { Settings } from '../settings.ts'
import { type Planned, withPreview } from './debug-plan.ts'

export interface ExecPlanned extends Planned {
  /** Without a command the container's own is run once more. */
  readonly exec: Omit<ExecOptions, 'detach'>
}

/** Numbers that stand for what exec opens, beyond those of the caller's that it keeps. */
const NUMBERS = { report: 202, console: 205, acknowledge: 260, namespaces: 270 } as const

interface ExecPreview {
  readonly preview: Preview
  readonly process: PlannedProcess
  readonly entered: readonly JoinedNamespace[]
  /** Directories of --cgroup. */
  readonly cgroups: readonly string[]
  readonly plan: Plan
}

/** For programs. */
export async function debugPlanExec(
  settings: Settings,
  planned: ExecPlanned,
): Promise<{ readonly exec: PrintedStep[] }> {
  return { exec: printPlan((await execPreviewOf(settings, planned)).plan) }
}

/** For people. */
export async function debugPlanExecText(
  settings: Settings,
  { steps, ...planned }: ExecPlanned & { readonly steps: boolean },
): Promise<string> {
  const { preview, process, entered, cgroups, plan } = await execPreviewOf(settings, planned)
  const { arch, spec } = preview.inputs
  const detailed: Section = steps
    ? { title: 'exec plan, run by a process of the host', lines: numberedSteps(printPlan(plan, namesOf(arch))) }
    : { title: 'steps', lines: [`exec ${plan.steps.length}: --steps prints them`] }
  const namespaces = { title: 'namespaces that are entered', lines: [entered.map(({ type }) => type).join(' ')] }
  const joined = { title: 'cgroups', lines: cgroups }
  return sectionText([namespaces, joined, ...processSummary(process, spec), detailed])
}

function execPreviewOf(settings: Settings, planned: ExecPlanned): Promise<ExecPreview> {
  return withPreview(settings, planned, (preview) => execPreview(preview, planned.exec))
}

/** While the image is open, whose passwd says where the user is at home. */
function execPreview(preview: Preview, exec: ExecPlanned['exec']): ExecPreview {
  const { arch, featureGates, sources, userNamespace, namespaces, monitor, newKeyring } = preview.inputs
  const { spec } = preview.opened.request
  const asked = processOf(preview, exec)
  if (userNamespace) checkMappedUser(asked.user, userNamespace)
  const process = processInputs(asked, {
    linux: spec.linux,
    featureGates,
    root: sources.rootfs,
    userNamespace: userNamespace !== undefined,
    filterOf: compileSeccomp,
  })
  const entered = enteredNamespaces(namespaces)
  const preserved = preservedNumbers(exec.preserveFds ?? 0)
  const beyond = (number: number): number => number + preserved.length
  const { plan } = planExecTask({
    arch,
    process,
    entry: { namespaces: entered, cgroup: monitor.cgroup, newKeyring },
    fds: {
      report: beyond(NUMBERS.report),
      console: asked.terminal ? { socket: NUMBERS.console, plainLines: isPlain(exec) } : undefined,
      acknowledge: agentOf(spec.linux?.seccomp, process.seccomp?.notifies ?? false) && beyond(NUMBERS.acknowledge),
    },
    preserved,
    traced: false,
  })
  return { preview, process, entered, cgroups: cgroupsOf(preview, exec), plan }
}

/** More than a plan is read with; exec itself looks whether they are open. */
const MOST_PRESERVED = 1024

function preservedNumbers(count: number): number[] {
  if (count > MOST_PRESERVED)
    throw new RuntimeError('usage', `--preserve-fds ${count}: a plan shows ${MOST_PRESERVED} at most`)
  return Array.from({ length: count }, (_, index) => 3 + index)
}

/** What exec would refuse of it without a container is refused here too. */
function processOf({ opened, inputs }: Preview, exec: ExecPlanned['exec']): Process {
  // As the bundle has it: what create adds to its environment is init's alone.
  const { spec } = opened.request
  const options = { ...exec, detach: false }
  checkLabels(options, inputs.featureGates)
  const args = exec.args.length > 0 || exec.process ? exec.args : spec.process.args
  const process = withSize(execProcess(spec.process, { ...options, args }))
  checkTerminal(process, options)
  return process
}

/** Those in which the container is not with this process, as exec looks at them. */
function enteredNamespaces({ created, joined }: OpenNamespaces): JoinedNamespace[] {
  const differs = (type: NamespaceType): boolean => {
    const fd = joined.get(type)
    return created.has(type) || (fd !== undefined && !isOwnNamespace(type, fd))
  }
  return (Object.keys(namespaceKinds) as NamespaceType[])
    .filter(differs)
    .map((type, index) => ({ type, flag: namespaceKinds[type].flag, fd: NUMBERS.namespaces + index }))
}

/** A terminal that goes to no socket is passed on by exec itself. */
function isPlain({ consoleSocket }: ExecPlanned['exec']): boolean {
  return consoleSocket === undefined && !printsToTerminal()
}

/** Directories of the cgroups that --cgroup names. Throws RuntimeError `usage` for what names none. */
function cgroupsOf({ opened: { cgroup } }: Preview, { cgroups = [] }: ExecPlanned['exec']): string[] {
  if (cgroups.length === 0) return []
  const { layout, placement } = cgroup
  const pathOf = subCgroups(cgroups, { path: placement.path, layout })
  return layout.hierarchies.map((hierarchy) => hierarchy.mountPoint + pathOf(hierarchy))
}
