/** The ids of a user namespace (config-linux.md, "User namespace mappings"; user_namespaces(7)). */
import { SpecError } from '../errors/runtime-error.ts'
import { itemOf } from './field-path.ts'
import { checkIdMappings, idMapText } from './id-mapping-rules.ts'
import type { IdMapping, Linux } from './linux.ts'
import type { User } from './spec.ts'

/** What the user and group ids of a user namespace are outside it. */
export interface IdMappings {
  readonly uids: readonly IdMapping[]
  readonly gids: readonly IdMapping[]
}

/** Throws a SpecError for mappings that cannot be, that nobody asks for, or that a new user namespace lacks. */
export function checkUserNamespace({ namespaces = [], uidMappings = [], gidMappings = [] }: Linux): void {
  const user = namespaces.find(({ type }) => type === 'user')
  for (const [field, mappings] of [
    ['linux.uidMappings', uidMappings],
    ['linux.gidMappings', gidMappings],
  ] as const) {
    if (!user) {
      if (mappings.length > 0) throw new SpecError(field, 'needs a user namespace in linux.namespaces')
      continue
    }
    if (mappings.length === 0) {
      if (user.path) continue
      throw new SpecError(field, 'is missing: a new user namespace has only the ids that are mapped')
    }
    checkIdMappings(mappings, field)
    if (toHostId(mappings, 0) === undefined)
      throw new SpecError(field, 'maps nothing to 0: without root in the namespace nothing can be set up there')
  }
}

/** Throws a SpecError for the first id of the process's user that the namespace does not have. */
export function checkMappedUser({ uid, gid, additionalGids = [] }: User, { uids, gids }: IdMappings): void {
  const check = (field: string, mappings: readonly IdMapping[], id: number, which: string): void => {
    if (toHostId(mappings, id) === undefined)
      throw new SpecError(field, `${id} is not mapped in the user namespace: add it to linux.${which}`)
  }
  check('process.user.uid', uids, uid, 'uidMappings')
  check('process.user.gid', gids, gid, 'gidMappings')
  for (const [index, id] of additionalGids.entries())
    check(itemOf('process.user.additionalGids', index), gids, id, 'gidMappings')
}

/** The id outside the namespace; undefined when there is none. */
export function toHostId(mappings: readonly IdMapping[], id: number): number | undefined {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return mapping && id - mapping.containerID + mapping.hostID
}

/** Whether an id outside the namespace is one of it. */
export function isMapped(mappings: readonly IdMapping[], host: number): boolean {
  return mappings.some(({ hostID, size }) => host >= hostID && host < hostID + size)
}

/** Of /proc/PID/uid_map or gid_map. */
export function parseMap(text: string): IdMapping[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(({ length }) => length === 3)
    .map(([containerID = 0, hostID = 0, size = 0]) => ({ containerID, hostID, size }))
}

/** The same ids, whatever order they are listed in. */
export function sameMappings(one: readonly IdMapping[], other: readonly IdMapping[]): boolean {
  const normal = (mappings: readonly IdMapping[]): string =>
    idMapText([...mappings].sort((a, b) => a.containerID - b.containerID))
  return normal(one) === normal(other)
}
