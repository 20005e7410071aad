/** debug plan --exec: what exec would do in the container of a bundle, which does not have to be there. */
import { checkMappedUser } from '@crio-lxc/core/oci/id-mappings'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import type { JoinedNamespace } from '@crio-lxc/core/plan/container-entry'
import { namesOf } from '@crio-lxc/core/plan/names'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { type PrintedStep, printPlan } from '@crio-lxc/core/plan/print'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { planExec } from '@crio-lxc/init/exec-plan'
import type { PlannedProcess } from '@crio-lxc/init/process-plan'
import type { ExecOptions } from '../entering/exec-options.ts'
import { execProcess } from '../entering/exec-process.ts'
import { processInputs } from '../entering/process-inputs.ts'
import { namespaceKinds } from '../namespaces/namespaces.ts'
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

/** Numbers that stand for what exec opens. */
const NUMBERS = { report: 202, console: 205, acknowledge: 211, namespaces: 220 } as const

interface ExecPreview {
  readonly preview: Preview
  readonly process: PlannedProcess
  readonly entered: readonly JoinedNamespace[]
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
  const { preview, process, entered, plan } = await execPreviewOf(settings, planned)
  const { arch, spec } = preview.inputs
  const detailed: Section = steps
    ? { title: 'exec plan, run by a process of the host', lines: numberedSteps(printPlan(plan, namesOf(arch))) }
    : { title: 'steps', lines: [`exec ${plan.steps.length}: --steps prints them`] }
  const namespaces = { title: 'namespaces that are entered', lines: [entered.map(({ type }) => type).join(' ')] }
  return sectionText([namespaces, ...processSummary(process, spec), detailed])
}

function execPreviewOf(settings: Settings, planned: ExecPlanned): Promise<ExecPreview> {
  return withPreview(settings, planned, (preview) => execPreview(preview, planned.exec))
}

/** While the image is open, whose passwd says where the user is at home. */
function execPreview(preview: Preview, exec: ExecPlanned['exec']): ExecPreview {
  const { arch, featureGates, sources, userNamespace, namespaces, monitor, newKeyring } = preview.inputs
  // As the bundle has it: what create adds to its environment is init's alone.
  const { spec } = preview.opened.request
  const { created, joined } = namespaces
  const args = exec.args.length > 0 || exec.process ? exec.args : spec.process.args
  const asked = execProcess(spec.process, { ...exec, args, detach: false })
  if (userNamespace) checkMappedUser(asked.user, userNamespace)
  const process = processInputs(asked, {
    linux: spec.linux,
    featureGates,
    root: sources.rootfs,
    userNamespace: userNamespace !== undefined,
    filterOf: compileSeccomp,
  })
  const entered = (Object.keys(namespaceKinds) as NamespaceType[])
    .filter((type) => created.has(type) || joined.has(type))
    .map((type, index) => ({ type, flag: namespaceKinds[type].flag, fd: NUMBERS.namespaces + index }))
  const plan = planExec({
    arch,
    process,
    entry: { namespaces: entered, cgroup: monitor.cgroup, newKeyring },
    fds: {
      report: NUMBERS.report,
      console: asked.terminal ? { socket: NUMBERS.console, plainLines: false } : undefined,
      acknowledge: process.seccomp?.notifies ? NUMBERS.acknowledge : undefined,
      preserved: 0,
    },
  })
  return { preview, process, entered, plan }
}
