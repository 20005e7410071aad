/**
 * crio-lxc as an executable: loads the module of the verb, which has what the verb needs and little else
 * (scripts/verb-modules.ts), or the whole program. What a verb's module does not have, such as its help, the whole program
 * does from the beginning.
 */
import { verbOf } from './verb-of.ts'

/** Verbs that have a module, each between two spaces: the bundler's. */
declare const VERBS: string

// Not by sys/engine.ts: it would be one module more to load.
const { engine } = globalThis as unknown as { engine: { readonly arguments: readonly string[] } }
const verb = verbOf(engine.arguments.slice(1))
// A name of its own, or the bundler looks for files.
const module = `./${verb}.js`
const program = VERBS.includes(` ${verb} `) ? import(module) : import('./program.ts')
await ((await program) as typeof import('./program.ts')).run()
