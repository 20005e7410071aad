/** What the kernel looks at in a file that is to be executed: execve(2), elf(5), and binfmt_script for `#!`. */
import { decode } from '../../abi/bytes.ts'

/** What begins a file. */
export type ProgramHeader =
  | { readonly kind: 'empty' }
  /** The interpreter as the kernel takes it, up to a blank or the line's end. */
  | { readonly kind: 'script'; readonly interpreter: string }
  /** `interpreter`: the loader of its libraries; absent when it is linked statically. */
  | { readonly kind: 'elf'; readonly machine: string; readonly interpreter?: string }
  /** `#!` behind a byte order mark, which hides it. */
  | { readonly kind: 'marked-script' }
  | { readonly kind: 'unknown' }

/** The bytes at `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array

/** The kernel reads no more of a script: BINPRM_BUF_SIZE. */
const HEADER_BYTES = 256
const PATH_MAX = 4096
const PT_INTERP = 3
const MOST_SEGMENTS = 64

/** e_machine, as images and package systems call it. */
const machines: Readonly<Record<number, string>> = {
  3: '386 (i386)',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64le or ppc64',
  22: 's390x',
  40: 'arm',
  62: 'amd64 (x86-64)',
  183: 'arm64 (aarch64)',
  243: 'riscv64',
  258: 'loong64',
}

/** The machine for which Node's `process.arch` stands, in the words of a header. */
export function machineOf(arch: string): string {
  return machines[arch === 'x64' ? 62 : arch === 'arm64' ? 183 : -1] ?? arch
}

export function readProgramHeader(readAt: ReadAt): ProgramHeader {
  const bytes = readAt(0, HEADER_BYTES)
  if (bytes.length === 0) return { kind: 'empty' }
  const head = new Uint8Array(HEADER_BYTES)
  head.set(bytes)
  const text = decode(head)
  if (text.startsWith('#!')) return { kind: 'script', interpreter: interpreterOf(text) }
  if (text.startsWith('\ufeff#!')) return { kind: 'marked-script' }
  if (text.startsWith('\x7fELF')) return elfHeader(head, readAt)
  return { kind: 'unknown' }
}

function interpreterOf(text: string): string {
  return /^#![ \t]*([^ \t\n\0]*)/.exec(text)?.[1] ?? ''
}

function elfHeader(head: Uint8Array, readAt: ReadAt): ProgramHeader {
  const [wide, little] = [head[4] === 2, head[5] === 1]
  const number = (bytes: Uint8Array, offset: number, size: 2 | 4 | 8): number => {
    const digits = [...bytes.subarray(offset, offset + size)]
    return (little ? digits.reverse() : digits).reduce((value, byte) => value * 256 + byte, 0)
  }
  const type = number(head, 18, 2)
  const elf = { kind: 'elf', machine: machines[type] ?? `machine ${type} of elf(5)` } as const
  const [table, size, count] = wide
    ? [number(head, 32, 8), number(head, 54, 2), number(head, 56, 2)]
    : [number(head, 28, 4), number(head, 42, 2), number(head, 44, 2)]
  if (size !== (wide ? 56 : 32) || count > MOST_SEGMENTS || !Number.isSafeInteger(table)) return elf
  const segments = readAt(table, size * count)
  for (let at = 0; at + size <= segments.length; at += size) {
    if (number(segments, at, 4) !== PT_INTERP) continue
    const [offset, length] = wide
      ? [number(segments, at + 8, 8), number(segments, at + 32, 8)]
      : [number(segments, at + 4, 4), number(segments, at + 16, 4)]
    if (length > PATH_MAX || !Number.isSafeInteger(offset)) return elf
    return { ...elf, interpreter: decode(readAt(offset, length)).split('\0', 1)[0] ?? '' }
  }
  return elf
}
