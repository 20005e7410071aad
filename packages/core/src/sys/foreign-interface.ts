/** What core asks of an engine's foreign functions: the part of koffi's interface that bun-ffi.ts offers too. */

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
