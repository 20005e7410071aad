/**
 * Foreign functions of the engine that runs: Bun brings its own, which are there in a third of the time that koffi
 * takes to load (docs/notes/bun.md); on Node they are koffi's. Both take prototypes in C.
 */
import { bunFfi } from './bun-ffi.ts'
import type { Foreign } from './foreign-interface.ts'
import { koffi } from './koffi.ts'

export type { Library, Native } from './foreign-interface.ts'

let chosen: Foreign | undefined

export function foreign(): Foreign {
  chosen ??= bunFfi() ?? (koffi() as unknown as Foreign)
  return chosen
}
