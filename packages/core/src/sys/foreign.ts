/**
 * Foreign functions of the engine that runs: Bun brings its own, which are there in a third of the time that koffi
 * takes to load (docs/notes/bun.md); on Node they are koffi's. Both take prototypes in C.
 */
import { bunFfi } from './bun-ffi.ts'
import { koffi } from './koffi.ts'

export type Native = (...args: unknown[]) => number

export interface Library {
  /**
   * A function by its C prototype. Arguments are numbers, bigints, strings for `const char *`, arrays of strings that
   * end with null for `const char **`, and Buffers, pointers or null for the rest.
   */
  func(prototype: string): Native
}

export interface Foreign {
  /** dlopen(3). */
  load(name: string): Library
  /** To be read in the same expression as the call it belongs to. */
  errno(): number
  /** Where the bytes are, as long as something else keeps them alive. */
  address(bytes: Uint8Array): bigint
}

let chosen: Foreign | undefined

export function foreign(): Foreign {
  chosen ??= bunFfi() ?? (koffi() as unknown as Foreign)
  return chosen
}
