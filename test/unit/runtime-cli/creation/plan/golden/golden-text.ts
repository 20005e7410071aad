import { x64 } from '@crio-lxc/core/abi/arch'
import { printDevicePlan } from '@crio-lxc/core/host/cgroup/plan/print-device-plan'
import { printUnit } from '@crio-lxc/core/host/cgroup/plan/print-unit'
import { laterLimits, unitProperties } from '@crio-lxc/core/host/cgroup/plan/unit-plan'
import { namesOf } from '@crio-lxc/core/plan/names'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { printPlan } from '@crio-lxc/core/plan/print'
import { withoutNumbers } from '@crio-lxc/core/plan/without-numbers'
import { type AllInputs, planAll } from '../../../../../../packages/runtime-cli/src/creation/plan/plan-all.ts'
import {
  type Section,
  sectionDiff,
  sectionText,
} from '../../../../../../packages/runtime-cli/src/plan-text/sections.ts'
import { summary } from '../../../../../../packages/runtime-cli/src/plan-text/summary.ts'
import { creationInputs } from '../../../../../support/creation-inputs.ts'
import type { Golden } from './specs.ts'

export function inputsOf({ spec, layout, scope }: Golden): AllInputs {
  const { gate, ...inputs } = creationInputs(spec, layout)
  return { ...inputs, scope, gate: spec.hooks ? gate : undefined }
}

/** Everything that is planned for a document, for people who review what has changed. */
export function goldenText(golden: Golden): string {
  return sectionText(goldenSections(golden))
}

/** What of it is not as for another document, which is enough: that has a text of its own. */
export function goldenDiff(other: Golden, golden: Golden): string {
  return sectionDiff(goldenSections(other), goldenSections(golden), 1)
}

function goldenSections(golden: Golden): Section[] {
  const inputs = inputsOf(golden)
  const plans = planAll(inputs)
  const { resources, unit, lxcConfig, launch, wait, container, netDevices } = plans
  const { writes } = unit ?? resources
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['cgroup writes', writes.map(({ hierarchy, file, value }) => `${hierarchy.mountPoint} ${file} <- ${value}`)],
    ['transient unit', unit ? propertiesOf(unit, inputs) : []],
    ['devices', resources.devices ? printDevicePlan(resources.devices).policy : []],
    ['liblxc config', lxcConfig.trimEnd().split('\n')],
    ['launch plan', stepsOf(launch)],
    ['wait plan', stepsOf(wait)],
    ['container plan', stepsOf(container)],
    ['network device plan', netDevices ? stepsOf(netDevices) : []],
  ]
  return [...summary(inputs, plans), ...parts.map(([title, lines]) => ({ title, lines }))]
}

function propertiesOf(unit: NonNullable<ReturnType<typeof planAll>['unit']>, { id, layout }: AllInputs): string[] {
  const facts = { id, pid: 0, layout, groupName: () => 'char-group' }
  return [...printUnit(unit.scope, [...unitProperties(unit, facts), ...laterLimits(unit)]).properties]
}

function stepsOf(plan: Plan): string[] {
  return withoutNumbers(printPlan(plan, namesOf(x64)))
}
