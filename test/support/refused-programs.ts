/** Files that are there and executable, and that the kernel refuses to execute. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** e_machine of elf(5): one that this machine is not. */
const foreign = process.arch === 'arm64' ? 62 : 183
const EXECUTABLE = 2
const PT_INTERP = 3

export interface Elf {
  readonly machine?: 'own' | 'foreign'
  /** The loader. */
  readonly interpreter?: string
}

/** The beginning of a 64-bit little-endian ELF program, which is all that the kernel reads before it refuses. */
export function elf({ machine = 'own', interpreter }: Elf = {}): Buffer {
  const own = process.arch === 'arm64' ? 183 : 62
  const path = Buffer.from(`${interpreter ?? ''}\0`)
  const file = Buffer.alloc(64 + 56 + path.length)
  file.write('\x7fELF\x02\x01\x01', 'latin1')
  file.writeUInt16LE(EXECUTABLE, 16)
  file.writeUInt16LE(machine === 'own' ? own : foreign, 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(64, 52)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(interpreter === undefined ? 0 : 1, 56)
  if (interpreter === undefined) return file
  file.writeUInt32LE(PT_INTERP, 64)
  file.writeBigUInt64LE(120n, 64 + 8)
  file.writeBigUInt64LE(BigInt(path.length), 64 + 32)
  path.copy(file, 120)
  return file
}

/** What the kernel refuses, by a name; each with strerror(3) of the errno, and what else is to be said of it. */
export const refusedPrograms = {
  'another-architecture': [elf({ machine: 'foreign' }), 'exec format error', /arm64 \(aarch64\).*amd64 \(x86-64\)/],
  'no-hash-bang': ['echo hello\n', 'exec format error', /#! line/],
  empty: ['', 'exec format error', /it is empty/],
  'byte-order-mark': ['\ufeff#!/bin/sh\n', 'exec format error', /byte order mark/],
  'no-name-in-line': ['#!\n', 'exec format error', /names no interpreter/],
  'missing-interpreter': ['#!/no/such/interpreter -x\n', 'no such file or directory', /"\/no\/such\/interpreter"/],
  'missing-relative': ['#! no/such\n', 'no such file or directory', /"no\/such"/],
  crlf: ['#!/bin/sh\r\necho hello\r\n', 'no such file or directory', /"\/bin\/sh\\r" because its lines end with CRLF/],
  'missing-loader': [
    elf({ interpreter: '/lib/ld-of-another-libc.so' }),
    'no such file or directory',
    /loader "\/lib\/ld-of-another-libc\.so"/,
  ],
  'interpreter-without-loader': [
    '#!/opt/missing-loader\n',
    'no such file or directory',
    /interpreter "\/opt\/missing-loader" needs the loader "\/lib\/ld-of-another-libc\.so"/,
  ],
  'interpreter-of-another-architecture': [
    '#!/opt/another-architecture\n',
    'exec format error',
    /interpreter "\/opt\/another-architecture" is for/,
  ],
  'interpreter-is-data': ['#!/etc/passwd\n', 'permission denied', /interpreter "\/etc\/passwd" may not be executed/],
  'interpreter-is-directory': ['#!/etc\n', 'permission denied', /interpreter "\/etc" may not be executed/],
} as const satisfies Record<string, readonly [content: string | Buffer, errno: string, reason: RegExp]>

/** Makes them all in /opt below `rootfs`. */
export function writeRefusedPrograms(rootfs: string): void {
  mkdirSync(join(rootfs, 'opt'), { recursive: true })
  for (const [name, [content]] of Object.entries(refusedPrograms)) {
    writeFileSync(join(rootfs, 'opt', name), content)
    chmodSync(join(rootfs, 'opt', name), 0o755)
  }
}
