/**
 * What config.json sets inside a namespace. In a namespace that is the host's the host itself would change, so each
 * such field needs one that is the container's: made for it, or joined and another than the runtime's.
 */
import { SpecError } from '../errors/runtime-error.ts'
import { fieldOf, itemOf } from './field-path.ts'
import type { NamespaceType } from './linux.ts'
import type { Spec } from './spec.ts'
import { sysctlNamespace } from './sysctl-rules.ts'

/** The types in linux.namespaces: what the container gets, unless a path among them leads to the host's. */
export function listedNamespaces({ linux }: Spec): Set<NamespaceType> {
  return new Set(linux?.namespaces?.map(({ type }) => type))
}

/** Throws a SpecError for the first field that needs a namespace that is not in `own`, the container's namespaces. */
export function checkNamespaceRules(spec: Spec, own: ReadonlySet<NamespaceType>): void {
  const need = (type: NamespaceType, field: string): void => {
    if (!own.has(type)) throw new SpecError(field, `${missing(spec, type)}: without it the host's would change`)
  }
  if (spec.hostname) need('uts', 'hostname')
  if (spec.domainname) need('uts', 'domainname')
  if (Object.keys(spec.linux?.netDevices ?? {}).length > 0) need('network', 'linux.netDevices')
  const { sysctl = {}, maskedPaths = [], readonlyPaths = [] } = spec.linux ?? {}
  for (const name of Object.keys(sysctl)) {
    const type = sysctlNamespace(name)
    const field = fieldOf('linux.sysctl', name)
    if (type === undefined) throw new SpecError(field, 'is not a parameter of a namespace: it would change the host')
    need(type, field)
  }
  if (maskedPaths.length > 0) need('mount', 'linux.maskedPaths')
  if (readonlyPaths.length > 0) need('mount', 'linux.readonlyPaths')
  // Every mount and the root of the container, with nothing else set.
  need('mount', 'linux.namespaces')
}

function missing({ linux }: Spec, type: NamespaceType): string {
  const index = linux?.namespaces?.findIndex((namespace) => namespace.type === type) ?? -1
  if (index < 0) return `needs a ${type} namespace in linux.namespaces`
  const path = linux?.namespaces?.[index]?.path
  return `needs a ${type} namespace of the container's, and ${itemOf('linux.namespaces', index)}.path ${path} is the host's`
}
