/** bun:ffi behind the interface of foreign-interface.ts. */
import { existsSync } from 'node:fs'
import type { Foreign, Library, Native } from './foreign-interface.ts'

/** The part of bun:ffi that is used; the engine's own types would replace Node's. */
interface BunFfi {
  dlopen(
    name: string,
    symbols: Record<string, Definition>,
  ): { symbols: Record<string, (...args: unknown[]) => unknown> }
  ptr(bytes: ArrayBufferView): number
  readonly read: { i32(address: number, offset: number): number }
}

interface Definition {
  readonly args: readonly string[]
  readonly returns: string
}

/** Loaded with the engine. */
const LIBC = 'libc.so.6'

/** undefined on another engine. */
export function bunFfi(): Foreign | undefined {
  if (process.versions['bun'] === undefined) return undefined
  // The name is not Node's, whose types know which modules there are.
  const ffi = (process.getBuiltinModule as (id: string) => unknown)('bun:ffi') as BunFfi
  const { symbols } = ffi.dlopen(LIBC, { __errno_location: { args: [], returns: 'ptr' } })
  const errnoAddress = symbols['__errno_location']?.() as number
  return {
    load: (name) => load(ffi, name),
    // There is one errno a thread, and all calls are made on this one.
    errno: () => ffi.read.i32(errnoAddress, 0),
    address: (bytes) => BigInt(ffi.ptr(bytes)),
  }
}

function load(ffi: BunFfi, name: string): Library {
  // When the host has no such library, the engine tries the working directory, which is somebody's bundle.
  if (name !== LIBC && existsSync(name))
    throw new Error(`there is a ${name} in the working directory, which is not the host's`)
  return {
    func(prototype) {
      const { symbol, definition } = parsePrototype(prototype)
      const { symbols } = ffi.dlopen(name, { [symbol]: definition })
      const native = symbols[symbol] as Native
      return (...args) => {
        // What an array of strings points at must outlive the call, and is held by its use after it.
        const kept: Uint8Array[] = []
        const result = native(...args.map((arg) => toNative(ffi, arg, kept)))
        kept.length = 0
        return result
      }
    },
  }
}

function toNative(ffi: BunFfi, arg: unknown, kept: Uint8Array[]): unknown {
  if (typeof arg === 'string') return Buffer.from(`${arg}\0`)
  if (!Array.isArray(arg)) return arg
  return BigUint64Array.from(arg, (item) => {
    if (item === null) return 0n
    const bytes = Buffer.from(`${item}\0`)
    kept.push(bytes)
    return BigInt(ffi.ptr(bytes))
  })
}

const types: Readonly<Record<string, string>> = {
  int: 'i32',
  short: 'i16',
  long: 'i64_fast',
  intptr_t: 'i64_fast',
  'unsigned int': 'u32',
  uint32_t: 'u32',
  'unsigned long': 'u64_fast',
  size_t: 'u64_fast',
  void: 'void',
}

/** `int open(const char *path, int flags)` for bun:ffi. PURE. */
export function parsePrototype(prototype: string): { symbol: string; definition: Definition } {
  const [, returns = '', symbol = '', parameters = ''] = /^(.*?[ *])(\w+)\((.*)\)$/.exec(prototype) ?? []
  const args = parameters === '' ? [] : parameters.split(', ').map(typeOf)
  return { symbol, definition: { args, returns: typeOf(returns.trim()) } }
}

/** `declaration` is a type with or without the parameter's name. */
function typeOf(declaration: string): string {
  if (declaration.includes('*')) return 'ptr'
  const type = types[declaration] ?? types[declaration.replace(/ \w+$/, '')]
  if (type === undefined) throw new Error(`no type of bun:ffi is known for "${declaration}"`)
  return type
}
