/** linux.timeOffsets (config-linux.md, "Offset for Time Namespace"): what a new time namespace can be given. */
import { SpecError } from '../errors/runtime-error.ts'
import { fieldOf, itemOf } from './field-path.ts'
import type { Linux } from './linux.ts'

/** The clocks that time_namespaces(7) knows. */
const clocks = ['monotonic', 'boottime']
const NANOSECONDS = 1_000_000_000

/** Throws a SpecError for the first offset that has no clock, no size or no namespace to be set in. */
export function checkTimeOffsets({ timeOffsets = {}, namespaces = [] }: Linux): void {
  const entries = Object.entries(timeOffsets)
  for (const [clock, { nanosecs = 0 }] of entries) {
    const field = fieldOf('linux.timeOffsets', clock)
    if (!clocks.includes(clock)) throw new SpecError(field, `is no clock with an offset: use ${clocks.join(' or ')}`)
    if (nanosecs >= NANOSECONDS)
      throw new SpecError(`${field}.nanosecs`, `must be less than a second (${NANOSECONDS}), got ${nanosecs}`)
  }
  if (entries.length === 0) return
  const index = namespaces.findIndex(({ type }) => type === 'time')
  if (index < 0) throw new SpecError('linux.timeOffsets', 'needs a time namespace in linux.namespaces')
  // time_namespaces(7): the clocks of a namespace are fixed once a process is in it.
  if (namespaces[index]?.path)
    throw new SpecError(
      'linux.timeOffsets',
      `needs a new time namespace, and ${itemOf('linux.namespaces', index)}.path joins one that has its offsets`,
    )
}
