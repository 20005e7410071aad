import type { Rlimit } from './spec.ts'

/** The limits that count: of a type that is listed again the last one, as the other runtimes set them one by one. */
export function effectiveRlimits(rlimits: readonly Rlimit[] = []): Rlimit[] {
  return [...new Map(rlimits.map((rlimit) => [rlimit.type, rlimit])).values()]
}

/** More than a container is set up with: it has a descriptor for each of its mounts meanwhile. */
const ROOM_FOR_FILES = 65_536

export interface SetUpRlimit extends Rlimit {
  /** A process that may not raise it that far has what it has: the limit that counts is set at last. */
  readonly optional: boolean
}

/** The same while the process is set up: open files are its own business, and limited when it begins. */
export function rlimitsForSetUp(rlimits: readonly Rlimit[] = []): SetUpRlimit[] {
  return effectiveRlimits(rlimits).map((rlimit) => {
    const { type, hard } = rlimit
    if (type !== 'RLIMIT_NOFILE') return { ...rlimit, optional: false }
    const optional = hard < ROOM_FOR_FILES
    const room = optional ? ROOM_FOR_FILES : hard
    return { type, soft: room, hard: room, optional }
  })
}
