/**
 * The engine's interface on Node >= 22, through koffi: for unit tests, `node lib/crio-lxc/crio-lxc.js` and debuggers. It is
 * imported first, for its effect; no executable contains it. In the npm package `globalThis` is an object of each of its
 * two modules (packages/runtime-cli/tsup.config.ts), so that other programs see nothing of it.
 */
import { closeSync, readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import type koffi from 'koffi'
import { messageOf, RuntimeError } from '../errors/runtime-error.ts'
import type { Engine, ForeignLibrary, HeldSignals, Word } from './engine.ts'

type Function = (...words: (number | bigint)[]) => number

/** Set by the bundler. */
declare const BUNDLED: true | undefined
/** Set by the bundler of the npm package, which others import. */
declare const EMBEDDED: true | undefined

const embedded = typeof EMBEDDED !== 'undefined'

let loaded: typeof koffi | undefined

/** The native half of koffi alone, whose JavaScript would look for it in several directories. Planners never need it. */
function native(): typeof koffi {
  if (loaded) return loaded
  if (embedded) {
    loaded = packaged()
    return loaded
  }
  const module: { exports: unknown } = { exports: {} }
  const built = `../../../../node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`
  try {
    process.dlopen(module, resolve(import.meta.dirname, typeof BUNDLED === 'undefined' ? built : 'koffi.node'))
  } catch (error) {
    // Without it no verb can make a system call, so that none can report it either.
    process.stderr.write(`load ${(error as Error).message}: install the whole tree again\n`)
    process.exit(1)
  }
  loaded = module.exports as typeof koffi
  return loaded
}

/** A package of its own, on which koffi depends; where there is none for the host, koffi's JavaScript knows what to do. */
function packaged(): typeof koffi {
  const require = createRequire(import.meta.url)
  try {
    return createRequire(require.resolve('koffi'))(
      `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
    ) as typeof koffi
  } catch {
    return require('koffi') as typeof koffi
  }
}

const libraries = new Map<string, ReturnType<typeof koffi.load>>()
const functions = new Map<string, Function>()

/** Six words are passed whatever a function takes: on both processors it finds its own in registers, and none on the stack. */
const WORDS = 6

function load(library: string): ReturnType<typeof koffi.load> {
  try {
    return native().load(library)
  } catch (cause) {
    throw new RuntimeError('io', `load ${library}: ${messageOf(cause)}: install the package of that library`, { cause })
  }
}

function find(name: string): Function {
  const library = name.startsWith('seccomp_') ? 'libseccomp.so.2' : 'libc.so.6'
  const parameters = Array(name === 'syscall' ? WORDS + 1 : WORDS).fill('intptr_t')
  const found = functions.get(name) ?? (open(library).func(name, 'intptr_t', parameters) as unknown as Function)
  functions.set(name, found)
  return found
}

function open(library: string): ReturnType<typeof koffi.load> {
  const loaded = libraries.get(library) ?? load(library)
  libraries.set(library, loaded)
  return loaded
}

function invoke(name: string, count: number, words: readonly (Word | undefined)[]): number {
  const kept: Uint8Array[] = []
  const passed = Array.from({ length: count }, (_, index) => toNative(words[index] ?? 0, kept))
  const result = Number(find(name)(...passed))
  return name === 'syscall' && result === -1 ? -native().errno() : kept.length < 0 ? 0 : result
}

let word6: ReturnType<typeof koffi.proto> | undefined

function foreign(name: string): ForeignLibrary {
  const library = open(name)
  const parameters = Array(WORDS).fill('intptr_t')
  const passed = (words: readonly Word[], kept: Uint8Array[]): (number | bigint)[] =>
    Array.from({ length: WORDS }, (_, index) => toNative(words[index] ?? 0, kept))
  return {
    call(symbol, ...words) {
      const kept: Uint8Array[] = []
      const found = (functions.get(symbol) ?? library.func(symbol, 'intptr_t', parameters)) as unknown as Function
      functions.set(symbol, found)
      const result = Number(found(...passed(words, kept)))
      return kept.length < 0 ? 0 : result
    },
    callAt(address, ...words) {
      const kept: Uint8Array[] = []
      word6 ??= native().proto('intptr_t', parameters)
      const result = Number(native().call(BigInt(address), word6, ...passed(words, kept)))
      return kept.length < 0 ? 0 : result
    },
    read: (address, length) => new Uint8Array(native().view(BigInt(address), length)).slice(),
  }
}

function toNative(word: Word, kept: Uint8Array[]): number | bigint {
  if (typeof word === 'number' || typeof word === 'bigint') return word
  const bytes = typeof word === 'string' ? terminated(word) : (word ?? new Uint8Array())
  kept.push(bytes)
  return word === null ? 0 : native().address(bytes)
}

function terminated(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError('a string with a NUL byte is no argument of a system call')
  return Buffer.concat([encodeText(text), Buffer.alloc(1)])
}

function encodeText(text: string): Buffer {
  const escaped = /[\udc80-\udcff]/
  if (!escaped.test(text)) return Buffer.from(text)
  return Buffer.concat(
    [...text].map((character) =>
      /^[\udc80-\udcff]$/.test(character) ? Buffer.of(character.charCodeAt(0) & 0xff) : Buffer.from(character),
    ),
  )
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return decodeEscaped(bytes)
  }
}

/** Character by character: the longest piece that is UTF-8, or a byte that is part of none. */
function decodeEscaped(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => isCharacter(decoder, bytes.subarray(at, at + size)))
    text += length ? decoder.decode(bytes.subarray(at, at + length)) : String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    at += length ?? 1
  }
  return text
}

function isCharacter(decoder: { decode(bytes: Uint8Array): string }, bytes: Uint8Array): boolean {
  try {
    return decoder.decode(bytes).length > 0
  } catch {
    return false
  }
}

/** poll(2) on a thread of koffi's, so that Node handles signals meanwhile; its errno is not to be had. */
function waitFor(entries: Uint8Array, count: number, timeoutMs: number): Promise<number> {
  const EINTR = -4
  const fn = native().load('libc.so.6').func('int poll(void *fds, unsigned long count, int timeout)')
  return new Promise((resolve, reject) => {
    fn.async(entries, count, timeoutMs, (error: Error | null, result: number) => {
      if (error) reject(error)
      else if (result === -1 && timeoutMs < 0) resolve(waitFor(entries, count, timeoutMs))
      else resolve(result === -1 ? EINTR : result)
    })
  })
}

/** Node runs a handler between two jobs; the real-time signals it knows nothing of. */
function holdSignals(signals: readonly number[]): HeldSignals {
  const EFD_NONBLOCK = 0o4000
  const fd = invoke('eventfd', WORDS, [0, EFD_NONBLOCK])
  let taken: number[] = []
  const handlers = Object.entries(constants.signals)
    .filter(([, number]) => signals.includes(number))
    .map(([name, number]) => {
      const handler = (): void => {
        taken.push(number)
        writeSync(fd, Buffer.from(BigUint64Array.of(1n).buffer))
      }
      process.on(name, handler)
      return [name, handler] as const
    })
  return {
    fd,
    take() {
      const result = [...new Set(taken)]
      if (result.length > 0) readSync(fd, Buffer.alloc(8))
      taken = []
      return result
    },
    close() {
      for (const [name, handler] of handlers) process.off(name, handler)
      closeSync(fd)
    },
  }
}

/** The sources, as the tests run them, use the tree that was built last. */
function libexec(): string {
  return resolve(
    import.meta.dirname,
    typeof BUNDLED === 'undefined' ? '../../../../dist/libexec/crio-lxc' : '../../libexec/crio-lxc',
  )
}

const engine: Engine = {
  libexec: libexec(),
  // The signals of a program that embeds the runtime are its own, and a thread of it may block.
  ...(embedded ? { holdSignals: () => ({ fd: -1, take: () => [], close() {} }) } : { holdSignals, waitFor }),
  foreign,
  arch: process.arch as Engine['arch'],
  arguments: process.argv.slice(1),
  startedAt: Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1000,
  environment: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
  syscall: (number, ...words) => invoke('syscall', WORDS + 1, [number, ...words]),
  call: (name, ...words) => invoke(name, WORDS, words),
  address: (bytes) => Number(native().address(bytes)),
  encode: (text) => Uint8Array.from(encodeText(text)).buffer,
  decode: decodeText,
}

Object.assign(globalThis, { engine })
