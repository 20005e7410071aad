import type { Rlimit } from './spec.ts'

/** The limits that count: of a type that is listed again the last one, as the other runtimes set them one by one. */
export function effectiveRlimits(rlimits: readonly Rlimit[] = []): Rlimit[] {
  return [...new Map(rlimits.map((rlimit) => [rlimit.type, rlimit])).values()]
}
