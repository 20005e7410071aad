/** Refuses a spec that asks for something that this runtime would not do (the table is support.ts). */
import { SpecError } from '../errors/runtime-error.ts'
import { fieldOf } from './field-path.ts'
import type { Resources } from './resources.ts'
import type { Process, Spec } from './spec.ts'
import { type Decision, support } from './support.ts'
import { type Leaf, type Visit, walkFields } from './walk-fields.ts'

/** Throws a SpecError that names the first field in use that is not supported; unknown fields are not looked at. */
export function checkSupport(spec: Spec): void {
  walkFields(spec, support, '', refuseIn('config.json'))
}

/** The same for the document of `exec --process`. */
export function checkProcessSupport(process: Process): void {
  walkFields({ process }, support, '', refuseIn('process.json'))
}

/** The same for the document of `update --resources`. */
export function checkResourcesSupport(resources: Resources): void {
  walkFields({ linux: { resources } }, support, '', refuseIn('the resources'))
}

function refuseIn(document: string): Visit {
  return (value, leaf, parent, name) => {
    const decision = decide(value, leaf)
    if (decision === 'supported' || !('unsupported' in decision)) return
    if (asksSomething(value) || (value === 0 && decision.meaningful === 'zero')) {
      const problem = `not supported yet (${decision.unsupported}): remove it from ${document}`
      throw new SpecError(fieldOf(parent, name), problem)
    }
  }
}

/** Of a field with a fixed set of values, the row of the one it has. */
function decide(value: unknown, leaf: Leaf): Decision {
  if (leaf === 'supported' || !('values' in leaf)) return leaf
  return typeof value === 'string' && Object.hasOwn(leaf.values, value) ? (leaf.values[value] as Decision) : 'supported'
}

/** 0, false, "", [], {} and an object of nothing but these ask for nothing. */
function asksSomething(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.values(value).some(asksSomething) : Boolean(value)
}
