/** Lists of id mappings (config-linux.md, "User namespace mappings"): what a kernel takes as a uid_map or gid_map. */
import { SpecError } from '../errors/runtime-error.ts'
import { itemOf } from './field-path.ts'
import type { IdMapping } from './linux.ts'

/** UID_GID_MAP_MAX_EXTENTS of the kernel. */
const MAX_MAPPINGS = 340
/** A map is written at once, and has to be shorter than a page of memory, which is at least this long (user_namespaces(7)). */
const PAGE_BYTES = 4096
/** 2^32 - 1 is the id that nobody has: it means "no change" to system calls. */
const MAX_ID = 0xfffffffe

const sides = ['containerID', 'hostID'] as const
type Side = (typeof sides)[number]

/** Throws a SpecError for the first mapping that the kernel would refuse; the empty list is a caller's to judge. */
export function checkIdMappings(mappings: readonly IdMapping[], field: string): void {
  if (mappings.length > MAX_MAPPINGS)
    throw new SpecError(field, `must have at most ${MAX_MAPPINGS} items, got ${mappings.length}`)
  for (const [index, mapping] of mappings.entries()) {
    if (mapping.size === 0) throw new SpecError(`${itemOf(field, index)}.size`, 'must not be 0')
    for (const side of sides) checkRange(mapping, side, itemOf(field, index))
  }
  for (const side of sides) checkOverlap(mappings, side, field)
  const { length } = idMapText(mappings)
  if (length >= PAGE_BYTES)
    throw new SpecError(field, `must be shorter than ${PAGE_BYTES} bytes as the text of an id map, got ${length}`)
}

/** The mappings as /proc/PID/uid_map and gid_map take them, to be written at once. */
export function idMapText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('')
}

function checkRange(mapping: IdMapping, side: Side, field: string): void {
  const last = lastOf(mapping, side)
  if (last > MAX_ID)
    throw new SpecError(`${field}.${side}`, `must end at ${MAX_ID} or before, got ids from ${mapping[side]} to ${last}`)
}

function checkOverlap(mappings: readonly IdMapping[], side: Side, field: string): void {
  const sorted = [...mappings.entries()].sort(([, a], [, b]) => a[side] - b[side])
  for (const [position, [index, mapping]] of sorted.entries()) {
    const before = sorted[position - 1]
    if (!before || mapping[side] > lastOf(before[1], side)) continue
    const [first, second] = [before[0], index].sort((a, b) => a - b) as [number, number]
    throw new SpecError(`${itemOf(field, second)}.${side}`, `has ids that ${itemOf(field, first)} maps already`)
  }
}

function lastOf(mapping: IdMapping, side: Side): number {
  return mapping[side] + mapping.size - 1
}
