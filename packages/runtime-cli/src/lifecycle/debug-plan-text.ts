/** debug plan for people: a summary, and the steps for who asks for them. */
import { namesOf } from '@crio-lxc/core/plan/names'
import { type Preview, printAll } from '../plan-text/print-all.ts'
import { type Section, sectionText } from '../plan-text/sections.ts'
import { numberedSteps, planSections } from '../plan-text/step-sections.ts'
import { summary } from '../plan-text/summary.ts'
import type { Settings } from '../settings.ts'
import { type Planned, previewOf } from './debug-plan.ts'

export async function debugPlanText(
  settings: Settings,
  { steps, ...planned }: Planned & { readonly steps: boolean },
): Promise<string> {
  const preview = await previewOf(settings, planned)
  const { inputs, plans } = preview
  const { brief, detailed } = planSections(printAll(preview, namesOf(inputs.arch)), numberedSteps)
  return sectionText([...summary(inputs, plans), ...brief, ...(steps ? detailed : [numbersOf(preview)])])
}

/** What --steps would print. */
function numbersOf({ plans: { launch, wait, container, netDevices } }: Preview): Section {
  const plans = { launch, wait, container, 'network devices': netDevices }
  const numbers = Object.entries(plans).flatMap(([name, plan]) => (plan ? [`${name} ${plan.steps.length}`] : []))
  return { title: 'steps', lines: [`${numbers.join(', ')}: --steps prints them`] }
}
