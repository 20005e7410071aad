/** Refuses a spec that asks for something that this runtime would not do (the table is support.ts). */
import { SpecError } from '../errors/runtime-error.ts'
import type { Decision, HostFeature } from './decision.ts'
import { fieldOf, itemOf } from './field-path.ts'
import type { Resources } from './resources.ts'
import type { Process, Spec } from './spec.ts'
import { support } from './support.ts'
import { type Leaf, type Visit, walkFields } from './walk-fields.ts'

/** Whether the host has what some fields need (core/host/host-features.ts). */
export type HostHas = (feature: HostFeature) => boolean

/** Throws a SpecError that names the first field in use that is not supported; unknown fields are not looked at. */
export function checkSupport(spec: Spec, has: HostHas): void {
  walkFields(spec, support, '', refuseIn('config.json', has))
}

/** The same for the document of `exec --process`. */
export function checkProcessSupport(process: Process, has: HostHas): void {
  walkFields({ process }, support, '', refuseIn('process.json', has))
}

/** The same for the document of `update --resources`. */
export function checkResourcesSupport(resources: Resources, has: HostHas): void {
  walkFields({ linux: { resources } }, support, '', refuseIn('the resources', has))
}

function refuseIn(document: string, has: HostHas): Visit {
  const refuse = (value: unknown, leaf: Leaf, path: () => string): void => {
    const decision = decide(value, leaf)
    if (decision === 'supported') return
    if ('needs' in decision && asksSomething(value) && !has(decision.needs))
      throw new SpecError(path(), `this host has no ${decision.needs}: remove it from ${document}`)
    if (!('unsupported' in decision)) return
    if (asksSomething(value) || (value === 0 && decision.meaningful === 'zero'))
      throw new SpecError(path(), `not supported (${decision.unsupported}): remove it from ${document}`)
  }
  return (value, leaf, parent, name) => {
    if (!Array.isArray(value) || leaf === 'supported' || !('values' in leaf))
      return refuse(value, leaf, () => fieldOf(parent, name))
    for (const [index, item] of value.entries()) refuse(item, leaf, () => itemOf(fieldOf(parent, name), index))
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
