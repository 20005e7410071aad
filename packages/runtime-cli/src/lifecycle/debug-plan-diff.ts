/** debug plan --diff: what create would do otherwise with one bundle than with another. */
import { namesOf } from '@crio-lxc/core/plan/names'
import { withoutNumbers } from '@crio-lxc/core/plan/without-numbers'
import { comparable, ruleSections, withoutDescriptors } from '../plan-text/comparable.ts'
import { printAll } from '../plan-text/print-all.ts'
import { type Section, sectionDiff } from '../plan-text/sections.ts'
import { planSections } from '../plan-text/step-sections.ts'
import { summary } from '../plan-text/summary.ts'
import type { Settings } from '../settings.ts'
import { type Planned, previewOf } from './debug-plan.ts'

/** Equal lines around what differs. */
const CONTEXT = 2

export interface DiffOptions extends Planned {
  /** The bundle that the lines with a minus are of. */
  readonly other: string
  /** Print where the steps differ, not only that they do. */
  readonly steps: boolean
}

/** Empty when create would do the same. */
export async function debugPlanDiff(settings: Settings, { other, steps, ...planned }: DiffOptions): Promise<string> {
  const before = await sectionsOf(settings, { ...planned, bundle: other })
  const after = await sectionsOf(settings, planned)
  const brief = sectionDiff(before.brief, after.brief, CONTEXT)
  const detailed = sectionDiff(before.detailed, after.detailed, CONTEXT)
  if (brief === '' && detailed === '') return ''
  const changed = detailed.split('\n').filter((line) => /^[-+] /.test(line)).length
  const hint = `# steps\n${changed} lines differ: --steps prints them\n`
  const rest = steps || detailed === '' ? detailed : hint
  return `--- ${other}\n+++ ${planned.bundle}\n\n${[brief, rest].filter(Boolean).join('\n')}`
}

interface Sections {
  readonly brief: readonly Section[]
  readonly detailed: readonly Section[]
}

async function sectionsOf(settings: Settings, planned: Planned): Promise<Sections> {
  const preview = await previewOf(settings, planned)
  const { inputs, plans } = preview
  // Programs follow from rules, which are compared.
  const { seccomp: _, ...printed } = printAll(preview, withoutDescriptors(namesOf(inputs.arch)))
  const { brief, detailed } = planSections(printed, withoutNumbers)
  const environment = { title: 'environment', lines: plans.process.environment }
  const whole = [...summary(inputs, plans), environment, ...ruleSections(inputs.spec), ...brief]
  return {
    brief: comparable(whole, planned.bundle),
    detailed: comparable(detailed, planned.bundle),
  }
}
