/**
 * koffi without koffi's own JavaScript. The package's index.js searches several directories for its native half
 * and, besides, only adds names that koffi 3 deprecates; a compiled executable that embeds the native half unpacks
 * it into /tmp, where it stays. Here exactly one file is opened: koffi.node in libexec, by its absolute path.
 *
 * Type names are global in koffi: a second `koffi().struct('x', ...)` throws, so each is declared in one module.
 * Read `koffi().errno()` in the same expression as the call it belongs to.
 */
import type native from 'koffi'
import { RuntimeError } from '../errors/runtime-error.ts'
import { libexecDir } from './libexec.ts'
import { loaderSentence } from './loader-sentence.ts'

/** The native module's interface, as the koffi package declares it. */
export type Koffi = typeof native

/** dlopen(3); node:os has it too, and would have to be loaded for it. */
const RTLD_LAZY = 1

let loaded: Koffi | undefined

/**
 * The native module, loaded at the first call (1.2 to 1.7 ms), so that commands without system calls of their own
 * never pay for it. Throws a RuntimeError `io` that names the file when it is missing or does not fit the machine.
 */
export function koffi(): Koffi {
  loaded ??= load(`${libexecDir()}/koffi.node`)
  return loaded
}

function load(path: string): Koffi {
  const module: { exports: unknown } = { exports: {} }
  try {
    // The versions of the libraries it needs are checked now, their thousand symbols only as far as they are used.
    process.dlopen(module as NodeJS.Module, path, RTLD_LAZY)
  } catch (cause) {
    const sentence = loaderSentence(cause)
    // dlopen(3) names the file at fault: the module itself, or one of the C++ runtime that it is linked with.
    const missing = /\blib[\w+-]+\.so[.\d]*(?=:)/.exec(sentence)?.[0]
    const advice = missing === undefined ? 'install the whole tree again' : `install the package that has ${missing}`
    throw new RuntimeError('io', `load native module ${path}: ${sentence}: ${advice}`, { cause })
  }
  return module.exports as Koffi
}
