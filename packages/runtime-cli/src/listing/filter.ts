import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { State, Status } from '@crio-lxc/core/oci/state'

export const statuses: readonly Status[] = ['creating', 'created', 'running', 'paused', 'stopped']

/**
 * Whether a container is wanted by all of `--filter KEY=VALUE`: any of the statuses, the beginning of any of the ids, every
 * annotation. Throws RuntimeError `usage`. PURE.
 */
export function filterOf(filters: readonly string[]): (state: State) => boolean {
  const values = (wanted: string): string[] =>
    filters.flatMap((filter) => {
      const { key, value } = parse(filter)
      return key === wanted ? [value] : []
    })
  const [status, ids, annotations] = [values('status'), values('id'), values('annotation')]
  return (state) =>
    (status.length === 0 || status.includes(state.status)) &&
    (ids.length === 0 || ids.some((id) => state.id.startsWith(id))) &&
    annotations.every((wanted) => hasAnnotation(state, wanted))
}

function parse(filter: string): { key: string; value: string } {
  const [, key = '', value = ''] = /^(status|id|annotation)=(.+)$/s.exec(filter) ?? []
  const refuse = (wanted: string): RuntimeError =>
    new RuntimeError('usage', `invalid --filter ${JSON.stringify(filter)}: want ${wanted}`)
  if (key === '') throw refuse('status=STATUS, id=BEGINNING, annotation=NAME or annotation=NAME=VALUE')
  if (key === 'status' && !(statuses as readonly string[]).includes(value))
    throw refuse(`a status of ${statuses.join(', ')}`)
  return { key, value }
}

/** A name alone wants it with any value. A name may contain `=`, which no engine's does. */
function hasAnnotation({ annotations = {} }: State, wanted: string): boolean {
  const [, name = '', value] = /^([^=]+)(?:=(.*))?$/s.exec(wanted) ?? []
  return Object.hasOwn(annotations, name) && (value === undefined || annotations[name] === value)
}
