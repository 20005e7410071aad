/** How numbers of a step are written for people. */
import type { Operation } from './plan.ts'

/** What a number says, where that does not depend on a call. */
export type Meaning = 'open flags' | 'resolve' | 'mount attributes' | 'mount flags'

export interface Spelling {
  /** Of the argument at `index`; undefined: as it is. */
  readonly argument: (call: Operation, index: number, args: readonly unknown[]) => string | undefined
  /** Of a member of a structure. */
  readonly member: (meaning: Meaning, value: number) => string
}
